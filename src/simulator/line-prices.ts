import type { Micros } from '../base/clock.ts';
import { decimalScale, formatDecimal } from '../base/decimal.ts';
import { hashAt, seedOf } from './random.ts';
import type { SimulatedMarket } from './simulated-market.ts';
import { epoch, secondMicros } from './symbol-time.ts';

/** A price that an exchange of JSON lines tells. */
export type PriceUpdate = {
  readonly symbol: string;
  readonly price: string;
  readonly time: Micros;
};

/** How far an exchange's prices lie from the market's, at most: enough that no two show the same. */
const largestDeviation = 0.0004;

/**
 * The prices of one exchange of JSON lines, as a pure function of seed, exchange, symbol and time:
 * the market's best bid of the moment, a little off. Updates are numbered from the epoch; each is of
 * the next symbol.
 */
export class LinePrices {
  readonly symbols: readonly string[];
  readonly #market: SimulatedMarket;
  readonly #perSecond: number;
  readonly #seed: number;

  constructor(
    market: SimulatedMarket,
    options: {
      readonly exchange: string;
      readonly symbols: readonly string[];
      /** Updates a second, of all symbols together; 0: none. */
      readonly perSecond: number;
    },
  ) {
    this.symbols = options.symbols;
    this.#market = market;
    this.#perSecond = options.perSecond;
    this.#seed = seedOf(`${market.seed}\n${options.exchange}`);
  }

  /** How many updates were told before `time`: the number of the first one at or after it. */
  updatesBefore(time: Micros): number {
    // Second by second: the product of all of it would be beyond what a number holds exactly.
    const second = Math.floor((time - epoch) / secondMicros);
    const within = time - epoch - second * secondMicros;
    return second * this.#perSecond + Math.ceil((within * this.#perSecond) / secondMicros);
  }

  update(number: number): PriceUpdate {
    const second = Math.floor(number / this.#perSecond);
    const within = Math.floor(((number % this.#perSecond) * secondMicros) / this.#perSecond);
    const time = epoch + second * secondMicros + within;
    const symbol = this.symbols[number % this.symbols.length] ?? '';
    const { market } = this.#market.symbol(symbol);
    const { bidPrice } = market.quote(Math.max(0, market.quotesBy(time) - 1));
    const deviation = (hashAt(this.#seed, number) / 0x8000_0000 - 1) * largestDeviation;
    const ticks = Math.max(1, bidPrice + Math.round(bidPrice * deviation));
    return { symbol, price: priceText(ticks, market.profile.tickDecimals), time };
  }
}

function priceText(ticks: number, tickDecimals: number): string {
  return formatDecimal(BigInt(ticks) * 10n ** BigInt(decimalScale - tickDecimals));
}

/** As MarketFlow's exchanges write it. */
export function priceLine(symbol: string, price: string, timestamp: number): string {
  return `{"symbol":${JSON.stringify(symbol)},"price":${price},"timestamp":${timestamp}}\n`;
}
