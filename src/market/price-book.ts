import type { Clock, Micros } from '../base/clock.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import type { Trade } from '../domain/trade.ts';
import { statusOf } from './instrument-state.ts';
import type { FeedState, InstrumentState } from './instrument-state.ts';
import type { Market } from './market.ts';
import { Refusal } from '../domain/refusal.ts';
import { sumStoredWindow } from './price-history.ts';
import type { StoredPrices } from './price-history.ts';
import { PriceMemory } from './price-memory.ts';
import { sumWindow } from './price-pieces.ts';
import type { PieceSource, WindowSum } from './price-pieces.ts';
import { statisticsOf } from './price-statistics.ts';
import type { ExchangePart, PriceStatistics } from './price-statistics.ts';
import { windowOf } from './price-window.ts';
import type { Window } from './price-window.ts';

export type PriceBookParts = {
  readonly market: Pick<Market, 'stateOf' | 'exchangeTime'>;
  /** Stored candles; undefined where there is no store. */
  readonly stored: StoredPrices | undefined;
  readonly clock: Clock;
  /** Called when the store does not answer, and memory alone does. */
  readonly onStoreOutage?: (error: Refusal) => void;
};

/** Windows that are read from the store at once; more are answered from memory alone. */
const mostReads = 32;
/** Who asks what a price is does not wait for a slow store: then memory alone answers. */
const storeTimeoutMs = 2_000;

/** What the instruments of the market cost: now and over periods. */
export class PriceBook {
  readonly #parts: PriceBookParts;
  readonly #memories = new Map<InstrumentName, PriceMemory>();
  /** What is being read; the same question shares the answer. */
  readonly #reads = new Map<string, Promise<ExchangePart>>();

  constructor(parts: PriceBookParts) {
    this.#parts = parts;
  }

  /** The last trade of one symbol’s instruments, by exchange: by (exchange time, exchange, id). */
  latestTrade(instruments: readonly InstrumentName[]): Trade | undefined {
    let latest: Trade | undefined;
    for (const instrument of instruments) {
      const trade = this.#parts.market.stateOf(instrument)?.lastTrade;
      if (trade !== undefined && (latest === undefined || isLater(trade, latest))) latest = trade;
    }
    return latest;
  }

  /**
   * Whether the feeds of all of these deliver: then nobody knows a later trade than we do. An open
   * connection alone does not show it, and that older trades are missing changes nothing.
   */
  areHeard(instruments: readonly InstrumentName[]): boolean {
    const { market, clock } = this.#parts;
    const now = clock.now();
    return instruments.every((name) => {
      const state = market.stateOf(name);
      return state !== undefined && delivers(statusOf(state, now).state);
    });
  }

  /**
   * The statistics of one symbol’s instruments, by exchange, over the last `period`, which is a checked
   * one. It answers at once where memory holds the window.
   */
  statistics(
    instruments: readonly InstrumentName[],
    period: Micros,
  ): PriceStatistics | Promise<PriceStatistics> {
    const window = this.windowOf(instruments, period);
    const parts = instruments.map((instrument) => this.part(instrument, window));
    if (parts.every(isKnown)) return statisticsOf(window, parts);
    return Promise.all(parts.map((part) => Promise.resolve(part))).then((known) =>
      statisticsOf(window, known),
    );
  }

  /** The window that ends now, by the exchange's clock that is the most ahead. */
  windowOf(instruments: readonly InstrumentName[], period: Micros): Window {
    const { market, clock } = this.#parts;
    const now = clock.now();
    let latest = -Infinity;
    for (const instrument of instruments) {
      const exchangeClock = market.stateOf(instrument)?.clock;
      latest = Math.max(latest, exchangeClock?.at(now) ?? now);
    }
    return windowOf(period, latest === -Infinity ? now : latest);
  }

  /** What one instrument has of a window. */
  part(instrument: InstrumentName, window: Window): ExchangePart | Promise<ExchangePart> {
    const state = this.#parts.market.stateOf(instrument);
    const { exchange = '' } = splitInstrumentName(instrument);
    if (state === undefined) return this.#storedPart(state, { instrument, exchange, window });
    const memory = this.#memoryOf(state);
    const heardThrough = memory.look(state);
    const { state: feed, reason } = statusOf(state, this.#parts.clock.now());
    const isFeedGood = heardThrough > 0 && delivers(feed);
    // What comes after the last word of a good feed is not lacking: it has not happened yet.
    const isHeardWithin = isFeedGood && heardThrough > window.from && heardThrough < window.to;
    const known = isHeardWithin ? { from: window.from, to: heardThrough } : window;
    const sum = sumWindow([memory], known);
    const trouble = isFeedGood ? '' : reason;
    if (sum.lacks.length === 0) return partOf(exchange, sum, trouble);
    return this.#storedPart(state, { instrument, exchange, window: known, trouble });
  }

  #storedPart(
    state: InstrumentState | undefined,
    asked: {
      readonly instrument: InstrumentName;
      readonly exchange: ExchangeName;
      readonly window: Window;
      readonly trouble?: string;
    },
  ): ExchangePart | Promise<ExchangePart> {
    const { stored } = this.#parts;
    const { instrument, exchange, window, trouble = '' } = asked;
    const look = (): PieceSource => {
      if (state === undefined) return nothing;
      const memory = this.#memoryOf(state);
      memory.look(state);
      return memory;
    };
    const fromMemory = (why: string) => partOf(exchange, sumWindow([look()], window), why);
    if (stored === undefined) return fromMemory(trouble);
    const key = `${instrument} ${window.from} ${window.to}`;
    const running = this.#reads.get(key);
    if (running !== undefined) return running;
    if (this.#reads.size >= mostReads) return fromMemory('too much is read from the store now');
    const read = this.#inTime(sumStoredWindow(stored, instrument, look, window))
      .then((sum) => partOf(exchange, sum, trouble))
      .catch((error: unknown) => {
        if (!(error instanceof Refusal) || error.reason !== 'unavailable') throw error;
        this.#parts.onStoreOutage?.(error);
        return fromMemory('the stored candles cannot be read now');
      })
      .finally(() => this.#reads.delete(key));
    this.#reads.set(key, read);
    return read;
  }

  async #inTime(sum: Promise<WindowSum>): Promise<WindowSum> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    using _timer = this.#parts.clock.setTimer(storeTimeoutMs, () =>
      reject(new Refusal('unavailable', `The store did not answer within ${storeTimeoutMs} ms`)),
    );
    return await Promise.race([sum, late]);
  }

  #memoryOf({ name, series }: InstrumentState): PriceMemory {
    const existing = this.#memories.get(name);
    if (existing?.isOf(series.slots) === true) return existing;
    const memory = new PriceMemory(series.slots);
    this.#memories.set(name, memory);
    return memory;
  }
}

/** The memory of an instrument that was not announced. */
const nothing: PieceSource = {
  at: () => undefined,
  endOf: () => 0,
  isWhole: () => false,
  isComplete: () => false,
  nextOpen: () => Infinity,
};

function isKnown(part: ExchangePart | Promise<ExchangePart>): part is ExchangePart {
  return !(part instanceof Promise);
}

const delivers = (state: FeedState) => state !== 'stale' && state !== 'down';

function partOf(exchange: ExchangeName, sum: WindowSum, trouble: string): ExchangePart {
  const { from, to, isWhole, lacksTrades, lacks } = sum;
  return { sum: sum.sum, from, to, isWhole, lacksTrades, lacks, exchange, trouble };
}

/** By (exchange time, exchange); instruments of one symbol come by exchange, each with its last. */
function isLater(a: Trade, b: Trade): boolean {
  return a.exchangeTime >= b.exchangeTime;
}
