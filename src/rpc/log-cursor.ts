import { Refusal } from '../domain/refusal.ts';

/**
 * A place in the log, as the text that clients hand back: the form's version ("o1" of orders, "p1" of
 * positions) and the position.
 */
export function formatLogCursor(form: 'o1' | 'p1', position: number): string {
  return `${form}.${position}`;
}

/** @throws Refusal for a text that no server of ours has written */
export function parseLogCursor(form: 'o1' | 'p1', text: string): number {
  const position = Number(new RegExp(`^${form}\\.(\\d{1,16})$`, 'u').exec(text)?.[1]);
  if (Number.isSafeInteger(position)) return position;
  throw new Refusal('invalid', 'resume_after: expected a cursor of this stream', {
    field: 'resume_after',
  });
}
