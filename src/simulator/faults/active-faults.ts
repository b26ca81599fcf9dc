import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Connection } from '../connection.ts';
import type { Frame } from '../frame.ts';
import { Random, seedOf } from '../random.ts';
import { Bound } from './bound.ts';
import type { BoundLimits } from './bound.ts';
import type { Fault } from './fault.ts';

/** Faults in force at once; each is asked about every frame. */
const maxFaults = 200;
/** Faults that have ended and are still shown, the last ones. */
const maxEnded = 50;
/** What one frame may become when faults that repeat it are piled up. */
const maxFramesOfOne = 10_000;

/** The faults that are in force, in the order of their beginning. */
export class ActiveFaults {
  readonly #clock: Clock;
  readonly #seed: string;
  #faults: { readonly number: number; readonly fault: Fault }[] = [];
  #begun = 0;
  /** Frames of faults that have ended. */
  #released: Frame[] = [];
  #ended: unknown[] = [];
  /** How often faults acted that have ended, by action. */
  readonly #acted = new Map<string, number>();

  constructor(seed: string, clock: Clock) {
    this.#seed = seed;
    this.#clock = clock;
  }

  bound(limits: BoundLimits): Bound {
    return new Bound(limits, this.#clock);
  }

  /** Chance for the next fault that is begun: the same in each run with the same faults. */
  random(): Random {
    return new Random(seedOf(`${this.#seed} fault ${this.#begun + 1}`));
  }

  /**
   * Begins a fault and returns what is shown of it.
   * @throws Refusal when too many are in force
   */
  begin(fault: Fault): unknown {
    this.#endThoseOver();
    if (this.#faults.length >= maxFaults) {
      throw new Refusal('limit', `action: expected at most ${maxFaults} faults, clear some first`);
    }
    const entry = { number: ++this.#begun, fault };
    this.#faults.push(entry);
    return shown(entry);
  }

  /** Ends the faults that match; returns how many. */
  clear(matches: (fault: Fault, number: number) => boolean): number {
    return this.#end(matches, 'cleared');
  }

  /** What GET /control shows. */
  state(): Readonly<Record<'faults' | 'ended' | 'acted', unknown>> {
    this.#endThoseOver();
    const acted = new Map(this.#acted);
    for (const { fault } of this.#faults) count(acted, fault);
    return {
      faults: this.#faults.map(shown),
      ended: this.#ended,
      acted: Object.fromEntries(acted),
    };
  }

  /** What is sent instead of a frame that is due; nothing for one that is held back or dropped. */
  pass(frame: Frame): readonly Frame[] {
    return this.#faults.length === 0 ? [frame] : this.#passOn([frame], 0);
  }

  /** Lets the faults work and returns the frames that they have held back until now. */
  due(): readonly Frame[] {
    if (this.#faults.length === 0 && this.#released.length === 0) return [];
    const frames: Frame[] = [];
    for (const [index, { fault }] of this.#faults.entries()) {
      fault.tick?.();
      // They were seen by this fault and those before it.
      frames.push(...this.#passOn(fault.due?.() ?? [], index + 1));
    }
    this.#endThoseOver();
    frames.push(...this.#released);
    this.#released = [];
    return frames;
  }

  hides(frame: Frame, connection: Connection): boolean {
    return this.#faults.some(({ fault }) => fault.hides?.(frame, connection) === true);
  }

  stallsExchange(exchange: string, symbol: string): boolean {
    return this.#faults.some(({ fault }) => fault.stallsExchange?.(exchange, symbol) === true);
  }

  closesExchange(exchange: string): boolean {
    this.#endThoseOver();
    return this.#faults.some(({ fault }) => fault.closesExchange?.(exchange) === true);
  }

  /** What the first fault that has something to say to a question answers. */
  first<T>(ask: (fault: Fault) => T | undefined): T | undefined {
    for (const { fault } of this.#faults) {
      const answer = ask(fault);
      if (answer !== undefined) return answer;
    }
    return undefined;
  }

  /** What all faults that have something to say to a question answer. */
  each<T>(ask: (fault: Fault) => T | undefined): readonly T[] {
    return this.#faults.map(({ fault }) => ask(fault)).filter((answer) => answer !== undefined);
  }

  #passOn(frames: readonly Frame[], from: number): readonly Frame[] {
    let passed = frames;
    for (const { fault } of this.#faults.slice(from)) {
      if (fault.pass === undefined) continue;
      passed = passed.flatMap((frame) => fault.pass?.(frame) ?? [frame]);
      if (passed.length > maxFramesOfOne) passed = passed.slice(0, maxFramesOfOne);
    }
    return passed;
  }

  #endThoseOver(): void {
    this.#end((fault) => fault.bound.isOver && fault.isStillNeeded?.() !== true, 'over');
  }

  #end(matches: (fault: Fault, number: number) => boolean, how: 'over' | 'cleared'): number {
    const ending = this.#faults.filter(({ fault, number }) => matches(fault, number));
    if (ending.length === 0) return 0;
    this.#faults = this.#faults.filter((entry) => !ending.includes(entry));
    this.#ended = [...this.#ended, ...ending.map(shown)].slice(-maxEnded);
    for (const { fault } of ending) {
      count(this.#acted, fault);
      this.#released.push(...(fault.held?.() ?? []));
      fault.ended?.(how);
    }
    return ending.length;
  }
}

function count(acted: Map<string, number>, { action, bound }: Fault): void {
  acted.set(action, (acted.get(action) ?? 0) + bound.acted);
}

function shown({ number, fault }: { number: number; fault: Fault }): unknown {
  const { action, symbol, bound } = fault;
  return {
    number,
    action,
    ...(symbol === undefined ? {} : { symbol }),
    ...fault.shown?.(),
    ...bound.shown(),
  };
}
