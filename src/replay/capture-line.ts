import type { Micros } from '../base/clock.ts';
import type { TimeUnit } from '../exchange/exchange.ts';

/** One line of a capture, taken apart. */
export type CaptureLine = {
  /** The exchange's JSON, to be decoded by its adapter. */
  readonly frame: string;
  /** When it was received; undefined in a line that has only the JSON. */
  readonly receivedTime: Micros | undefined;
};

/** Nanoseconds of the years 1970 to 2255: later ones are not exact microseconds in a number. */
const stampedPattern = /^(\d{1,19})\s+(?=\{)/u;

/** Splits "<ns> <json>" or a bare "<json>"; undefined for a line that is neither. */
export function splitCaptureLine(line: string): CaptureLine | undefined {
  if (line.startsWith('{')) return { frame: line, receivedTime: undefined };
  const stamp = stampedPattern.exec(line);
  if (stamp?.[1] === undefined) return undefined;
  return {
    frame: line.slice(stamp[0].length),
    // Finer digits of market data are truncated.
    receivedTime: Number(stamp[1].slice(0, -3)),
  };
}

/** The exchange's name for what happened: "trade", "depthUpdate"; undefined where it says none. */
export function eventTypeOf(frame: string): string | undefined {
  return /"e"\s*:\s*"([^"\\]{1,40})"/u.exec(frame)?.[1];
}

/** When the exchange sent it ("E"); undefined where it does not say. */
export function eventTimeOf(frame: string, timeUnit: TimeUnit): Micros | undefined {
  const digits = /"E"\s*:\s*(\d{1,16})[,\s}]/u.exec(frame)?.[1];
  if (digits === undefined) return undefined;
  return timeUnit === 'microsecond' ? Number(digits) : Number(digits) * 1000;
}
