/**
 * MarketFlow's exchanges: a TCP port that pushes one JSON object a line, to whoever connects:
 *
 *   {"symbol":"BTCUSDT","price":100123.45,"timestamp":1753000000000}
 *
 * The client sends nothing. Which exchange it is, the port says; an update has no id, no quantity
 * and no side. So nothing shows that an update was missed, or came twice, and nobody can be asked
 * for it: the time from the last update before a connection was lost to the first one after it
 * counts as incomplete, and stays so.
 */
import type { Micros } from '../base/clock.ts';
import type { Decimal } from '../base/decimal.ts';
import { parseDecimal } from '../base/decimal.ts';
import { instrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import { priceOnlyTrade } from '../domain/trade.ts';
import type { Trade } from '../domain/trade.ts';
import { sampleOf } from './bad-frame.ts';
import type { BadFrame, BadFrameCause } from './bad-frame.ts';
import type { DecoderCounters } from './exchange.ts';
import { WireError } from './fields.ts';
import { readPriceLine } from './json-lines/fields.ts';
import { joinedPair } from './pair-symbol.ts';

/** The symbols of MarketFlow's own exchanges. */
export const jsonLinesSymbols = ['BTCUSDT', 'DOGEUSDT', 'TONUSDT', 'SOLUSDT', 'ETHUSDT'] as const;

export type JsonLinesDecoderOptions = {
  /** The exchange's name in instruments. */
  readonly exchange: ExchangeName;
  /** In whatever spelling: "BTCUSDT" is also followed as "BTC-USDT"; lines of others are ignored. */
  readonly symbols: readonly string[];
  /** A time that lies further ahead of the received time, or behind it, is wrong. */
  readonly maximumAheadMs: number;
  readonly maximumBehindMs: number;
  readonly onBadFrame: (bad: BadFrame) => void;
};

type Known = {
  readonly instrument: InstrumentName;
  /** That of its newest trade; 0 before the first. */
  lastId: number;
};

/**
 * A line as nearly all of them are. Anything else, right or wrong, is read with more care, at some
 * ten times the cost.
 */
const usualLine =
  /^\{"symbol": ?"([^"\\]+)", ?"price": ?((?:0|[1-9]\d{0,14})(?:\.\d{1,18})?), ?"timestamp": ?([1-9]\d{0,14})\}\r?$/;

/**
 * Reads lines as trades of quantity 0. Their ids are counted by arrival, without a hole, from the
 * microsecond of the instrument's first: they rise, and one is not given again by a later process,
 * as long as the clock is not set back and there are fewer than a million a second.
 */
export class JsonLinesDecoder {
  readonly counters: DecoderCounters = { frames: 0, ignored: 0, bad: 0 };
  readonly #options: JsonLinesDecoderOptions;
  readonly #known: ReadonlyMap<string, Known>;

  constructor(options: JsonLinesDecoderOptions) {
    this.#options = options;
    this.#known = new Map(
      options.symbols.map((symbol) => {
        const instrument = instrumentName(options.exchange, symbol);
        return [joinedPair(symbol), { instrument, lastId: 0 }];
      }),
    );
  }

  get instruments(): readonly InstrumentName[] {
    return [...this.#known.values()].map(({ instrument }) => instrument);
  }

  /** Updates may have been missed: leaves out an id of each instrument, which stands for them. */
  skipIds(): void {
    for (const known of this.#known.values()) if (known.lastId > 0) known.lastId++;
  }

  /**
   * The trade in a line; undefined where there is none: an empty line, a symbol that is not ours, or
   * a line that was refused, each counted. Never throws.
   */
  decode(line: string, receivedTime: Micros): Trade | undefined {
    this.counters.frames++;
    try {
      const [, symbol, price, timestamp] = usualLine.exec(line) ?? [];
      const known = symbol === undefined ? undefined : this.#knownAs(symbol);
      if (known === undefined || price === undefined) return this.#readOther(line, receivedTime);
      return this.#trade(known, parseDecimal(price), Number(timestamp), receivedTime);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.refuse(error.badFrameCause, error.message, line);
    }
  }

  /** Counts a line that cannot be one. */
  refuse(cause: BadFrameCause, problem: string, line: string): undefined {
    this.counters.bad++;
    this.#options.onBadFrame({ cause, problem, sample: sampleOf(line) });
  }

  /** Most are written as instruments are. */
  #knownAs(symbol: string): Known | undefined {
    return this.#known.get(symbol) ?? this.#known.get(joinedPair(symbol));
  }

  #readOther(line: string, receivedTime: Micros): Trade | undefined {
    // Some send them to show that they live.
    if (line === '' || line === '\r') return this.#ignore();
    const { symbol, price, timestamp } = readPriceLine(line);
    const known = this.#knownAs(symbol);
    if (known === undefined) return this.#ignore();
    return this.#trade(known, price, timestamp, receivedTime);
  }

  #trade(known: Known, price: Decimal, timestamp: number, receivedTime: Micros): Trade {
    if (price === 0n) throw new WireError('field', 'price: expected more than 0, got 0');
    const exchangeTime = this.#timeOf(timestamp, receivedTime);
    const id = known.lastId === 0 ? receivedTime : known.lastId + 1;
    known.lastId = id;
    const { instrument } = known;
    return priceOnlyTrade({ instrument, id, price, exchangeTime, receivedTime });
  }

  /**
   * Nobody says what a timestamp counts, but its size tells: below 10^11 it is seconds (until the
   * year 5138), from there on milliseconds (since 1973). Microseconds are no time that can be true.
   */
  #timeOf(timestamp: number, receivedTime: Micros): Micros {
    const { maximumAheadMs, maximumBehindMs } = this.#options;
    const time = timestamp < 1e11 ? timestamp * 1e6 : timestamp * 1000;
    const ahead = time - receivedTime;
    if (ahead <= maximumAheadMs * 1000 && -ahead <= maximumBehindMs * 1000) return time;
    throw new WireError(
      'time',
      `timestamp: expected at most ${maximumAheadMs / 1000} s ahead of our time and ${maximumBehindMs / 1000} s behind it, got ${timestamp}`,
    );
  }

  #ignore(): undefined {
    this.counters.ignored++;
  }
}
