import type { Clock, Micros, Timer } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Order } from '../domain/order.ts';
import { LastFills } from './last-fills.ts';
import { MatchingEngine } from './matching-engine.ts';
import type { MatchingEngineOptions } from './matching-engine.ts';
import type { ConsumedLevel, Halts, ShardContents } from './order-log.ts';
import type { OrderMarket } from './order-market.ts';

export type ShardEnginesOptions = {
  readonly contents: ShardContents;
  readonly market: OrderMarket;
  readonly clock: Clock;
  readonly decide: MatchingEngineOptions['decide'];
  readonly needsFreshTicker: (instrument: InstrumentName) => void;
  /** It is time to let orders expire. */
  readonly onDue: () => void;
};

/** The wall clock may jump: what is due is looked for this often at least, while anything can be. */
const longestWaitMs = 1_000;

/** The matching engines of a shard, one for each instrument that has or had orders. */
export class ShardEngines implements Disposable {
  readonly #options: ShardEnginesOptions;
  readonly #engines = new Map<InstrumentName, MatchingEngine>();
  readonly #lastFills: LastFills;
  #halts: Halts;
  #isDeciding = false;
  #timer: { readonly at: Micros; readonly timer: Timer } | undefined;

  /** Takes what the log holds, and decides nothing yet. */
  constructor(options: ShardEnginesOptions) {
    this.#options = options;
    const { orders, consumed, halts } = options.contents;
    this.#halts = halts;
    this.#lastFills = new LastFills(consumed, options.clock);
    const levels = Map.groupBy(consumed, ({ instrument }) => instrument);
    for (const [instrument, used] of levels) this.#open(instrument, used);
    const now = options.clock.now();
    for (const order of orders) {
      (this.#engines.get(order.instrument) ?? this.#open(order.instrument)).add(order, now);
    }
  }

  get isDeciding(): boolean {
    return this.#isDeciding;
  }

  /** The engine of an instrument that has or had orders. */
  get(instrument: InstrumentName): MatchingEngine | undefined {
    return this.#engines.get(instrument);
  }

  *openOrders(): Generator<Order> {
    for (const engine of this.#engines.values()) yield* engine.openOrders();
  }

  /** An accepted order enters. */
  add(order: Order): void {
    const { clock } = this.#options;
    let engine = this.#engines.get(order.instrument);
    if (engine === undefined) {
      engine = this.#open(order.instrument);
      if (this.#isDeciding) engine.startDeciding(clock.now());
    }
    engine.add(order, clock.now());
    this.#setTimer();
  }

  handleTicker(ticker: BookTicker): void {
    if (this.#lastFills.areAfter(ticker)) return;
    this.#engines.get(ticker.instrument)?.handleTicker(ticker);
  }

  /** Connections were opened or lost, or something was missed: looks at which tickers still hold. */
  handleMarketChange(): void {
    const { market, clock } = this.#options;
    for (const engine of this.#engines.values()) {
      const known = market.tickerOf(engine.instrument);
      // Shown once more it would pass for a fresh one.
      if (known.type === 'good') continue;
      const reason = known.type === 'lost' ? known.reason : 'It has just been connected';
      if (engine.isGood || known.type === 'lost') engine.handleMarketLost(reason, clock.now());
      if (known.type === 'awaited') engine.handleMarketOpened();
    }
  }

  /** Others may not trade from now on, or may again. */
  halt(halts: Halts): void {
    this.#halts = halts;
    const now = this.#options.clock.now();
    for (const engine of this.#engines.values()) engine.halt(halts, now);
    this.#setTimer();
  }

  /** Lets orders expire. */
  expire(): void {
    const now = this.#options.clock.now();
    this.#clearTimer();
    for (const engine of this.#engines.values()) engine.expire(now);
    this.#setTimer();
  }

  stop(): void {
    this.#isDeciding = false;
    this.#clearTimer();
    for (const engine of this.#engines.values()) engine.stopDeciding();
  }

  /** Decides what is due, engine by engine, until it is stopped. */
  start(): void {
    this.#isDeciding = true;
    const now = this.#options.clock.now();
    for (const engine of this.#engines.values()) {
      if (this.isDeciding) engine.startDeciding(now);
    }
    this.#setTimer();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  #open(instrument: InstrumentName, consumed: readonly ConsumedLevel[] = []): MatchingEngine {
    const { market, clock, decide, needsFreshTicker } = this.#options;
    const engine = new MatchingEngine({
      instrument,
      decide,
      needsFreshTicker: () => needsFreshTicker(instrument),
    });
    this.#engines.set(instrument, engine);
    engine.halt(this.#halts, clock.now());
    engine.restore(consumed);
    const known = market.tickerOf(instrument);
    if (known.type === 'good') {
      if (this.#lastFills.areAfter(known.ticker)) needsFreshTicker(instrument);
      else engine.handleTicker(known.ticker);
    }
    if (known.type === 'lost') engine.handleMarketLost(known.reason, clock.now());
    return engine;
  }

  #setTimer(): void {
    if (!this.#isDeciding) return;
    const { clock, onDue } = this.#options;
    let at = Infinity;
    for (const { nextExpiry } of this.#engines.values()) at = Math.min(at, nextExpiry ?? Infinity);
    if (at === Infinity || at >= (this.#timer?.at ?? Infinity)) return;
    this.#clearTimer();
    const waitMs = Math.min(Math.ceil((at - clock.now()) / 1000), longestWaitMs);
    const timer = clock.setTimer(Math.max(waitMs, 0), () => {
      this.#timer = undefined;
      onDue();
    });
    this.#timer = { at, timer };
  }

  #clearTimer(): void {
    this.#timer?.timer[Symbol.dispose]();
    this.#timer = undefined;
  }
}
