/**
 * Why a frame is refused. unreadable: not a JSON object · binary: not text · field: a field that
 * is needed is missing, of another type or out of its bounds · time: a time that cannot be true.
 */
export type BadFrameCause = 'unreadable' | 'binary' | 'field' | 'time';

export type BadFrame = {
  readonly cause: BadFrameCause;
  /** What was expected and what it was. */
  readonly problem: string;
  /** The beginning of the frame. */
  readonly sample: string;
};

/** A data frame has about 200 characters; more than this shows nothing new. */
export const sampleLength = 512;

/** A part of a frame as it may be kept and logged. */
export function sampleOf(frame: string): string {
  // The copy lets go of a large frame, which a plain slice would keep alive.
  return Buffer.from(frame.slice(0, sampleLength)).toString();
}

/** A value of a frame, for a message: short whatever it is. */
export function showValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  try {
    return (JSON.stringify(value) ?? typeof value).slice(0, 60);
  } catch {
    // Writing it would take all of the stack.
    return 'something that is nested too deeply';
  }
}
