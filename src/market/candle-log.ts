import type { Micros } from '../base/clock.ts';
import type { Candle } from '../domain/candle.ts';
import type { Gap } from '../domain/gap.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Timeframe } from '../domain/timeframe.ts';

/** A closed candle or a gap, as it was published. Entries are numbered from 1 within a run. */
export type LogEntry = {
  readonly sequence: number;
  /** The exchange time that candles had been closed through. */
  readonly watermark: Micros;
} & (
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
  /** What earlier runs have published, as far as it has been read: entries without a place here. */
  stored: readonly LogEntry[];
  /** The open time of the earliest candle that is here. */
  earliest: Micros;
  newest: LogEntry | undefined;
  /** The highest sequence that has been let go of, and its watermark; 0 while all is there. */
  droppedThrough: number;
  droppedWatermark: Micros;
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

  appendCandle(candle: Candle): void {
    if (candle.closeTime > this.#watermark) this.#watermark = candle.closeTime;
    const place = { sequence: ++this.#sequence, watermark: this.#watermark };
    this.#append(logKey(candle.instrument, candle.timeframe), { type: 'candle', candle, ...place });
  }

  appendGap(gap: Gap): void {
    const place = { sequence: ++this.#sequence, watermark: this.#watermark };
    this.#append(logKey(gap.instrument, 'gap'), { type: 'gap', gap, ...place });
  }

  /** Takes what earlier runs have published, where it is older than what is here; or all of it. */
  addStored(key: LogKey, candles: readonly Candle[], isAll: boolean): void {
    const track = this.#track(key);
    if (track.stored.length > 0 || track.droppedThrough > 0) return;
    track.stored = candles
      .filter(({ openTime }) => openTime < track.earliest)
      .toSorted((a, b) => a.openTime - b.openTime)
      .map((candle) => ({ type: 'candle', sequence: 0, watermark: candle.closeTime, candle }));
    const [first] = track.stored;
    if (first !== undefined) track.earliest = openTime(first);
    // There never was an earlier one that a reader could have missed.
    if (isAll) track.earliest = 0;
  }

  /** The last version of the newest candle. */
  latest(key: LogKey): LogEntry | undefined {
    return this.#tracks.get(key)?.newest;
  }

  /** Whether every entry after `sequence` is still there. */
  reaches(key: LogKey, sequence: number): boolean {
    return (this.#tracks.get(key)?.droppedThrough ?? 0) <= sequence;
  }

  /** Whether every candle that ends after `time` is here, whichever run has published it. */
  reachesTime(key: LogKey, time: Micros): boolean {
    const track = this.#tracks.get(key);
    if (track === undefined) return false;
    // What ends after `time` was published after it.
    return track.droppedThrough > 0 ? track.droppedWatermark <= time : track.earliest <= time;
  }

  /** What earlier runs have published that ends after `time`, by time. */
  storedAfter(key: LogKey, time: Micros): readonly LogEntry[] {
    return this.#tracks.get(key)?.stored.filter((entry) => entry.watermark > time) ?? [];
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
    const track = this.#track(key);
    track.entries.push(entry);
    if (track.newest === undefined || openTime(entry) >= openTime(track.newest)) {
      track.newest = entry;
    }
    this.#entries++;
    const oldest = track.entries[dropBatch];
    track.earliest = Math.min(track.earliest, openTime(entry));
    if (oldest !== undefined && oldest.watermark < this.#watermark - track.retention) {
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
    const last = dropped.at(-1);
    track.droppedThrough = last?.sequence ?? track.droppedThrough;
    track.droppedWatermark = last?.watermark ?? track.droppedWatermark;
    this.#entries -= dropped.length;
    track.stored = [];
  }

  #track(key: LogKey): Track {
    const existing = this.#tracks.get(key);
    if (existing !== undefined) return existing;
    const { secondsRetention, retention } = this.#options;
    const track: Track = {
      retention: key.endsWith(' 1s') ? secondsRetention : retention,
      entries: [],
      stored: [],
      earliest: Infinity,
      newest: undefined,
      droppedThrough: 0,
      droppedWatermark: 0,
    };
    this.#tracks.set(key, track);
    return track;
  }
}

/** Entries are let go of in bulk: each removal moves an array. */
const dropBatch = 256;

const openTime = (entry: LogEntry): Micros =>
  entry.type === 'candle' ? entry.candle.openTime : entry.gap.fromTime;
