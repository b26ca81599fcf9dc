import type { Micros } from '../base/clock.ts';
import { makePattern } from './minute-pattern.ts';
import type { MinutePattern } from './minute-pattern.ts';
import { activityAt, priceFactorAt } from './price-path.ts';
import { hashAt, Random, seedOf } from './random.ts';
import type { SymbolProfile } from './symbol-profile.ts';
import { epoch, minuteMicros } from './symbol-time.ts';

/** One minute of a symbol's history: a pattern, at a level, at an activity. */
export type Minute = {
  readonly openTime: Micros;
  readonly pattern: MinutePattern;
  /** Whether it has trades. */
  readonly isActive: boolean;
  /** Active minutes before it since the epoch. */
  readonly activeBefore: number;
  /** The price that it begins at, in ticks, and how far the next minute's begin lies above it. */
  readonly level: number;
  readonly rise: number;
  /** Its trades' quantities are this many times the pattern's. */
  readonly activity: number;
};

/** The price that a second of the minute stands at, in ticks: offsets are counted from here. */
export function levelOf(minute: Minute, second: number): number {
  const { level, rise, pattern } = minute;
  return level + Math.floor((rise * second) / 60) + (pattern.walk[second] ?? 0);
}

/** Which minutes of an hour have trades. */
type HourPlan = {
  readonly minutes: readonly number[];
  /** Active minutes before each minute of the hour. */
  readonly activeBefore: readonly number[];
  readonly isActive: readonly boolean[];
};

/** Enough that quiet minutes do not visibly repeat. */
const planCount = 16;
/** Minutes kept: walks forward ask the same one thousands of times; a few may go on at once. */
const keptMinutes = 8;

/** Makes any minute of a symbol's history, numbered from the epoch. */
export class MinuteSource {
  readonly #profile: SymbolProfile;
  readonly #seed: number;
  readonly #plans: readonly HourPlan[];
  readonly #patterns: (MinutePattern | undefined)[] = [];
  /** A small ring: a minute is only ever kept at one place of it. */
  readonly #kept: ({ index: number; minute: Minute } | undefined)[] = [];
  #lastLevel = { index: -1, level: 0 };

  constructor(seed: string, profile: SymbolProfile) {
    this.#profile = profile;
    this.#seed = seedOf(`${seed}\n${profile.symbol}`);
    const random = new Random(hashAt(this.#seed, 1));
    this.#plans = Array.from({ length: planCount }, () => makePlan(random, profile.activeMinutes));
  }

  at(index: number): Minute {
    const kept = this.#kept[index % keptMinutes];
    if (kept?.index === index) return kept.minute;
    const minute = this.#make(index);
    this.#kept[index % keptMinutes] = { index, minute };
    return minute;
  }

  /** The minute that is the hour's `active`-th one with trades. */
  activeMinute(hour: number, active: number): number {
    return hour * 60 + (this.#plan(hour).minutes[active] ?? 0);
  }

  #plan(hour: number): HourPlan {
    return this.#plans[hashAt(this.#seed + 2, hour) % planCount] as HourPlan;
  }

  #make(index: number): Minute {
    const hour = Math.floor(index / 60);
    const plan = this.#plan(hour);
    const pattern = this.#pattern(hashAt(this.#seed + 3, index) % this.#profile.patternCount);
    const level = this.#level(index);
    return {
      openTime: epoch + index * minuteMicros,
      pattern,
      isActive: plan.isActive[index % 60] === true,
      activeBefore: hour * this.#profile.activeMinutes + (plan.activeBefore[index % 60] ?? 0),
      level,
      rise: this.#level(index + 1) - level,
      activity: activityAt(this.#seed, index),
    };
  }

  #pattern(number: number): MinutePattern {
    return (this.#patterns[number] ??= makePattern(this.#seed + 4, number, this.#profile));
  }

  #level(index: number): number {
    if (this.#lastLevel.index === index) return this.#lastLevel.level;
    const level = Math.round(this.#profile.basePrice * priceFactorAt(this.#seed, index));
    this.#lastLevel = { index, level };
    return level;
  }
}

function makePlan(random: Random, activeMinutes: number): HourPlan {
  const order = Array.from({ length: 60 }, (_, minute) => ({ minute, rank: random.fraction() }));
  const minutes = order
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, activeMinutes)
    .map(({ minute }) => minute)
    .toSorted((a, b) => a - b);
  const isActive = order.map(({ minute }) => minutes.includes(minute));
  const activeBefore = order.map(({ minute }) => minutes.filter((each) => each < minute).length);
  return { minutes, activeBefore, isActive };
}
