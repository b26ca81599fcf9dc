import type { Micros } from '../base/clock.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Gap } from '../domain/gap.ts';

/** A span of exchange time, both ends included. */
export type TimeSpan = { readonly fromTime: Micros; readonly toTime: Micros };

/** Consecutive ids that are missing, and the times of the known trades around them. */
type Hole = {
  first: number;
  last: number;
  fromTime: Micros;
  toTime: Micros;
  readonly foundTime: Micros;
  /** Whether it may well be that nothing is missing: it is only remembered, for what may come. */
  readonly isUsual: boolean;
  /** Set when it was announced; the parts of a hole that was filled in the middle share it. */
  announced: Announcement | undefined;
};

type Announcement = { readonly gap: Gap; missing: number; isAbsent: boolean };

/**
 * More holes than this mean that ids are not what they seem; the oldest is then taken for absent: it
 * stays a span of incomplete candles, and its trades, should they come, count as seen.
 */
const maximumHoles = 1000;

/**
 * The ids of one instrument's trades: which have been seen (the highest and the missing below it), so
 * that a duplicate counts once and, where the exchange numbers them without a break, a missing one is
 * known, with the time in which it must lie.
 */
export class TradeIds {
  /** Whether holes that are found from now on are usual: the exchange's ids leave some out. */
  areHolesUsual = false;
  readonly #instrument: InstrumentName;
  readonly #maturityMs: number;
  #lowest: { id: number; time: Micros } | undefined;
  #highest: { id: number; time: Micros } = { id: 0, time: 0 };
  #holes: Hole[] = [];
  /** Spans of holes that were given up. */
  #lost: TimeSpan[] = [];
  #unannounced = 0;
  /** What became of gaps since it was asked for. */
  readonly #ended: Gap[] = [];

  /** A hole counts as a gap when it is `maturityMs` old: until then its trades may be on the way. */
  constructor(instrument: InstrumentName, maturityMs: number) {
    this.#instrument = instrument;
    this.#maturityMs = maturityMs;
  }

  /** The time of the lowest id: a candle that opens after it was observed from its open on. */
  get observedFrom(): Micros | undefined {
    return this.#lowest?.time;
  }

  get lowestId(): number | undefined {
    return this.#lowest?.id;
  }

  get highestId(): number | undefined {
    return this.#lowest === undefined ? undefined : this.#highest.id;
  }

  /** The number of ids that are missing. */
  get missing(): number {
    return this.#holes.reduce(
      (sum, { first, last, isUsual }) => sum + (isUsual ? 0 : last - first + 1),
      0,
    );
  }

  /** Whether this id has been seen (or given up). */
  has(id: number): boolean {
    if (this.#lowest === undefined || id < this.#lowest.id || id > this.#highest.id) return false;
    return (
      this.#holes.length === 0 || !this.#holes.some(({ first, last }) => id >= first && id <= last)
    );
  }

  /**
   * Counts an id as seen.
   * @returns the span in which it changed what is known of completeness: undefined for the usual
   * next id, and also for one that leaves a hole, which is not a gap yet
   */
  add(id: number, time: Micros, now: Micros): TimeSpan | undefined {
    const lowest = this.#lowest;
    if (lowest === undefined) {
      this.#lowest = { id, time };
      this.#highest = { id, time };
      return undefined;
    }
    if (id > this.#highest.id) {
      if (id > this.#highest.id + 1) {
        this.#open(this.#highest.id + 1, id - 1, this.#highest.time, time, now);
      }
      this.#highest.id = id;
      this.#highest.time = time;
      return undefined;
    }
    if (id < lowest.id) {
      if (id < lowest.id - 1) this.#open(id + 1, lowest.id - 1, time, lowest.time, now);
      this.#lowest = { id, time };
      return spanOf(time, lowest.time);
    }
    return this.#fill(id, time);
  }

  /** Whether a trade may be missing that lies in [openTime, closeTime). */
  isMissingIn(openTime: Micros, closeTime: Micros): boolean {
    if (this.#holes.length === 0 && this.#lost.length === 0) return false;
    const touches = (span: TimeSpan) => span.fromTime < closeTime && span.toTime >= openTime;
    return this.#holes.some((hole) => !hole.isUsual && touches(hole)) || this.#lost.some(touches);
  }

  /** Announces the holes that have become gaps. */
  announce(now: Micros): Gap[] {
    if (this.#unannounced === 0) return [];
    const gaps: Gap[] = [];
    for (const hole of this.#holes) {
      if (hole.announced !== undefined || hole.isUsual) continue;
      if (now - hole.foundTime < this.#maturityMs * 1000) continue;
      const gap = this.#gapOf(hole);
      hole.announced = { gap, missing: hole.last - hole.first + 1, isAbsent: false };
      this.#unannounced--;
      gaps.push(gap);
    }
    return gaps;
  }

  /** Takes the gaps that were filled, or are known to stay, since the last call. */
  takeEnded(): Gap[] {
    return this.#ended.splice(0);
  }

  /**
   * Gives missing ids up, first and last included: `absent` ones leave their time incomplete for
   * ever, those that are `settled` are in candles that came from elsewhere.
   * @returns the span in which that changed what is known of completeness
   */
  giveUp(first: number, last: number, as: 'absent' | 'settled'): TimeSpan | undefined {
    const touched = this.#holes.filter((hole) => hole.first <= last && hole.last >= first);
    for (const hole of touched) {
      const from = Math.max(first, hole.first);
      const to = Math.min(last, hole.last);
      if (as === 'absent' && !hole.isUsual) {
        const gap = { ...this.#gapOf(hole), firstMissingId: from, lastMissingId: to };
        this.#ended.push({ ...gap, state: 'absent' });
        this.#lose(hole);
        if (hole.announced !== undefined) hole.announced.isAbsent = true;
      }
      const parts: Hole[] = [];
      if (from > hole.first) parts.push({ ...hole, last: from - 1 });
      if (to < hole.last) parts.push({ ...hole, first: to + 1 });
      this.#replace(hole, parts, to - from + 1);
    }
    const times = touched.flatMap(({ fromTime, toTime }) => [fromTime, toTime]);
    return touched.length === 0 ? undefined : spanOf(Math.min(...times), Math.max(...times));
  }

  /** Takes holes that lie before `time` for settled: candles from elsewhere hold their trades. */
  settleBefore(time: Micros): TimeSpan | undefined {
    const spans = this.#holes
      .filter(({ toTime }) => toTime < time)
      .map(({ first, last }) => this.giveUp(first, last, 'settled'))
      .filter((span) => span !== undefined);
    if (spans.length === 0) return undefined;
    const times = spans.flatMap(({ fromTime, toTime }) => [fromTime, toTime]);
    return spanOf(Math.min(...times), Math.max(...times));
  }

  /** Forgets what lies before `time`: no candle of it is held any more. */
  forgetBefore(time: Micros): void {
    if (this.#holes.length === 0 && this.#lost.length === 0) return;
    const [kept, gone] = partition(this.#holes, ({ toTime }) => toTime >= time);
    this.#holes = kept;
    this.#unannounced -= gone.filter(isUnannounced).length;
    this.#lost = this.#lost.filter(({ toTime }) => toTime >= time);
  }

  #open(first: number, last: number, fromTime: Micros, toTime: Micros, foundTime: Micros): void {
    const span = spanOf(fromTime, toTime);
    const isUsual = this.areHolesUsual;
    const hole: Hole = { first, last, ...span, foundTime, isUsual, announced: undefined };
    const index = this.#holes.findLastIndex((other) => other.last < first);
    this.#holes.splice(index + 1, 0, hole);
    if (!isUsual) this.#unannounced++;
    if (this.#holes.length > maximumHoles) this.#giveUpOldest();
  }

  #fill(id: number, time: Micros): TimeSpan | undefined {
    const index = this.#holes.findIndex(({ first, last }) => id >= first && id <= last);
    const hole = this.#holes[index];
    if (hole === undefined) return undefined;
    const parts: Hole[] = [];
    if (id > hole.first) {
      parts.push({ ...hole, ...spanOf(hole.fromTime, time), last: id - 1 });
    }
    if (id < hole.last) {
      parts.push({ ...hole, ...spanOf(time, hole.toTime), first: id + 1 });
    }
    this.#replace(hole, parts, 1);
    return spanOf(hole.fromTime, hole.toTime);
  }

  /** Puts what is left of a hole in its place; `count` ids of it are not missing any more. */
  #replace(hole: Hole, parts: readonly Hole[], count: number): void {
    this.#holes.splice(this.#holes.indexOf(hole), 1, ...parts);
    const { announced } = hole;
    if (announced === undefined) {
      if (!hole.isUsual) this.#unannounced += parts.length - 1;
      return;
    }
    announced.missing -= count;
    if (announced.missing === 0 && !announced.isAbsent) {
      this.#ended.push({ ...announced.gap, state: 'filled' });
    }
  }

  #giveUpOldest(): void {
    const hole = this.#holes.find(({ isUsual }) => isUsual) ?? this.#holes[0];
    if (hole !== undefined) this.giveUp(hole.first, hole.last, 'absent');
  }

  #lose({ fromTime, toTime }: TimeSpan): void {
    this.#lost.push({ fromTime, toTime });
    if (this.#lost.length <= maximumHoles) return;
    const [a, b, ...rest] = this.#lost as [TimeSpan, TimeSpan, ...TimeSpan[]];
    const from = Math.min(a.fromTime, b.fromTime);
    this.#lost = [{ fromTime: from, toTime: Math.max(a.toTime, b.toTime) }, ...rest];
  }

  #gapOf({ first, last, fromTime, toTime }: Hole): Gap {
    return {
      type: 'gap',
      instrument: this.#instrument,
      firstMissingId: first,
      lastMissingId: last,
      fromTime,
      toTime,
      state: 'open',
    };
  }
}

function isUnannounced({ announced, isUsual }: Hole): boolean {
  return announced === undefined && !isUsual;
}

/** Ids and times rise together; where an exchange breaks that, the span still covers both ends. */
function spanOf(a: Micros, b: Micros): TimeSpan {
  return a <= b ? { fromTime: a, toTime: b } : { fromTime: b, toTime: a };
}

function partition<T>(items: readonly T[], isKept: (item: T) => boolean): [T[], T[]] {
  return [items.filter(isKept), items.filter((item) => !isKept(item))];
}
