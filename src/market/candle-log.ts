import type { Micros } from '../base/clock.ts';
import type { Candle } from '../domain/candle.ts';
import type { Gap } from '../domain/gap.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Timeframe } from '../domain/timeframe.ts';

/** A closed candle or a gap, as it was published. Entries are numbered from 1 within a run. */
export type LogEntry = { readonly sequence: number } & (
  | { readonly type: 'candle'; readonly candle: Candle }
  | { readonly type: 'gap'; readonly gap: Gap }
);

/** A place in the log: what has been published up to here. */
export type LogPosition = {
  readonly run: Micros;
  readonly sequence: number;
  /** The exchange time that candles have been closed through. */
  readonly watermark: Micros;
};

/** Which part of the log to read: a timeframe of an instrument, or an instrument's gaps. */
export type LogKey = `${InstrumentName} ${Timeframe | 'gap'}`;

export const logKey = (instrument: InstrumentName, part: Timeframe | 'gap'): LogKey =>
  `${instrument} ${part}`;

type Track = {
  readonly retention: Micros;
  entries: LogEntry[];
  newest: LogEntry | undefined;
  /** The highest sequence that has been let go of; 0 while all is there. */
  droppedThrough: number;
};

export type CandleLogOptions = {
  readonly run: Micros;
  readonly secondsRetention: Micros;
  readonly retention: Micros;
  /** All tracks together hold at most this many entries; beyond it the longest lets go of its oldest. */
  readonly maximumEntries: number;
};

/**
 * The closed candles and gaps of the last hour (1s) and week (the rest), in the order of their
 * publication: what a new or resumed reader is given before the live updates. It stands in memory;
 * its interface is that of a log kept elsewhere.
 */
export class CandleLog {
  readonly #options: CandleLogOptions;
  readonly #tracks = new Map<LogKey, Track>();
  #sequence = 0;
  #watermark: Micros = 0;
  #entries = 0;

  constructor(options: CandleLogOptions) {
    this.#options = options;
  }

  get position(): LogPosition {
    return { run: this.#options.run, sequence: this.#sequence, watermark: this.#watermark };
  }

  /** The number of entries held. */
  get size(): number {
    return this.#entries;
  }

  appendCandle(candle: Candle): LogEntry {
    if (candle.closeTime > this.#watermark) this.#watermark = candle.closeTime;
    const entry: LogEntry = { type: 'candle', sequence: ++this.#sequence, candle };
    this.#append(logKey(candle.instrument, candle.timeframe), entry);
    return entry;
  }

  appendGap(gap: Gap): LogEntry {
    const entry: LogEntry = { type: 'gap', sequence: ++this.#sequence, gap };
    this.#append(logKey(gap.instrument, 'gap'), entry);
    return entry;
  }

  /** The last version of the newest candle. */
  latest(key: LogKey): LogEntry | undefined {
    return this.#tracks.get(key)?.newest;
  }

  /** Whether every entry after `sequence` is still there. */
  reaches(key: LogKey, sequence: number): boolean {
    return (this.#tracks.get(key)?.droppedThrough ?? 0) <= sequence;
  }

  /** Whether every entry that ends after `time` is still there. */
  reachesTime(key: LogKey, time: Micros): boolean {
    const track = this.#tracks.get(key);
    const [oldest] = track?.entries ?? [];
    return !track?.droppedThrough || (oldest !== undefined && endTime(oldest) <= time);
  }

  /** The entries after `sequence`, in order. */
  since(key: LogKey, sequence: number): readonly LogEntry[] {
    const entries = this.#tracks.get(key)?.entries ?? [];
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((entries[middle] as LogEntry).sequence <= sequence) low = middle + 1;
      else high = middle;
    }
    return entries.slice(low);
  }

  #append(key: LogKey, entry: LogEntry): void {
    let track = this.#tracks.get(key);
    if (track === undefined) {
      const { secondsRetention, retention } = this.#options;
      track = {
        retention: key.endsWith(' 1s') ? secondsRetention : retention,
        entries: [],
        newest: undefined,
        droppedThrough: 0,
      };
      this.#tracks.set(key, track);
    }
    track.entries.push(entry);
    if (track.newest === undefined || openTime(entry) >= openTime(track.newest)) {
      track.newest = entry;
    }
    this.#entries++;
    const oldest = track.entries[dropBatch];
    if (oldest !== undefined && endTime(oldest) < this.#watermark - track.retention) {
      this.#drop(track, dropBatch);
    }
    if (this.#entries > this.#options.maximumEntries) {
      const tracks = [...this.#tracks.values()];
      this.#drop(
        tracks.reduce((a, b) => (b.entries.length > a.entries.length ? b : a)),
        dropBatch,
      );
    }
  }

  #drop(track: Track, count: number): void {
    const dropped = track.entries.splice(0, count);
    track.droppedThrough = dropped.at(-1)?.sequence ?? track.droppedThrough;
    this.#entries -= dropped.length;
  }
}

/** Entries are let go of in bulk: each removal moves an array. */
const dropBatch = 256;

const openTime = (entry: LogEntry): Micros =>
  entry.type === 'candle' ? entry.candle.openTime : entry.gap.fromTime;

const endTime = (entry: LogEntry): Micros =>
  entry.type === 'candle' ? entry.candle.closeTime : entry.gap.toTime;
