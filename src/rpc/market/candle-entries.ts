import type { Micros } from '../../base/clock.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { CandleLog, LogEntry, LogKey, LogPosition } from '../../market/candle-log.ts';

/** How far before a cursor's watermark candles come again where the cursor is not of this run. */
const overlap: Micros = 3_600_000_000;

/** What a reader is sent before the updates, in order; and whether it may have been sent before. */
export type Snapshot = { readonly entries: readonly LogEntry[]; readonly isRepeat: boolean };

/** The newest closed candle of each key. */
export function latestEntries(log: CandleLog, keys: readonly LogKey[]): Snapshot {
  return {
    entries: inOrder(
      keys.map((key) => log.latest(key)).filter((entry) => entry?.type === 'candle'),
    ),
    isRepeat: false,
  };
}

/** Everything that is retained. */
export function retainedEntries(log: CandleLog, keys: readonly LogKey[]): Snapshot {
  return { entries: inOrder(keys.flatMap((key) => log.since(key, 0))), isRepeat: false };
}

/**
 * What was published after a cursor: exactly that in the cursor's own run; else all that ends after
 * its watermark less an hour.
 * @throws Refusal 'outOfRange' where that is not retained any more
 */
export function entriesAfter(
  log: CandleLog,
  keys: readonly LogKey[],
  cursor: LogPosition,
): Snapshot {
  const { position } = log;
  if (cursor.run === position.run) {
    if (cursor.sequence > position.sequence) {
      throw new Refusal('invalid', 'resume_after: expected a cursor that this server has sent');
    }
    for (const key of keys) if (!log.reaches(key, cursor.sequence)) throw tooOld();
    return {
      entries: inOrder(keys.flatMap((key) => log.since(key, cursor.sequence))),
      isRepeat: false,
    };
  }
  const from = cursor.watermark - overlap;
  const candleKeys = keys.filter((key) => !key.endsWith(' gap'));
  if (candleKeys.some((key) => !log.reachesTime(key, from))) throw tooOld();
  const published = keys.flatMap((key) => log.since(key, 0));
  return {
    entries: [
      ...keys.flatMap((key) => log.storedAfter(key, from)),
      ...inOrder(published.filter((entry) => endOf(entry) > from)),
    ],
    isRepeat: true,
  };
}

/**
 * The place in the stream right after an entry. What an earlier run has published has no place in
 * this one: a reader that is cut off there begins where it began before.
 */
export function positionAfter(log: CandleLog, entry: LogEntry, begun: LogPosition): LogPosition {
  const { sequence, watermark } = entry;
  return sequence === 0 ? begun : { run: log.position.run, sequence, watermark };
}

const endOf = (entry: LogEntry): Micros =>
  entry.type === 'candle' ? entry.candle.closeTime : entry.gap.toTime;

function inOrder(entries: readonly (LogEntry | undefined)[]): LogEntry[] {
  return entries.filter((entry) => entry !== undefined).toSorted((a, b) => a.sequence - b.sequence);
}

function tooOld(): Refusal {
  return new Refusal(
    'outOfRange',
    'resume_after: the server does not retain all that came after this cursor; list the candles and stream from the cursor of the list',
  );
}
