import { repeat } from '../base/clock.ts';
import type { Clock, Micros } from '../base/clock.ts';
import { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import type { Candle } from '../domain/candle.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Kline } from '../domain/kline.ts';
import type { MarketEventHandler } from '../domain/market-event.ts';
import { openTimeOf } from '../domain/timeframe.ts';
import type { ExchangeRest } from './exchange.ts';
import { RestError } from './rest-error.ts';

/** What became of the candles that were held against the exchange's klines. */
export type AuditCounts = { compared: number; equal: number; mended: number };

export type AuditOptions = {
  readonly rest: ExchangeRest;
  readonly instruments: readonly InstrumentName[];
  /** The last published version of a closed 1m candle. */
  readonly closedCandle: (instrument: InstrumentName, openTime: Micros) => Candle | undefined;
  readonly handle: MarketEventHandler;
  readonly exchangeTime: () => Micros;
  /** How often one instrument, the next in turn, is looked at. */
  readonly periodMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** The last closed minutes that are compared in one look; a kline may be amended for a moment. */
const minutes = 3;
const minute: Micros = 60_000_000;
const settleTime: Micros = 5_000_000;
const logPeriodMs = 60_000;

/**
 * Holds closed 1m candles against the exchange's own klines, one instrument after the other, for as
 * long as the server runs. What differs is counted, logged, and replaced by the kline where that
 * knows no fewer trades. Where an exchange has no such klines, nothing is compared.
 */
export class Audit implements AsyncDisposable {
  readonly #options: AuditOptions;
  readonly #counts = new Map<InstrumentName, AuditCounts>();
  readonly #closing = new AbortController();
  readonly #timer: Disposable;
  readonly #limiter: LogLimiter;
  #next = 0;
  #looking: Promise<void> | undefined;

  constructor(options: AuditOptions) {
    this.#options = options;
    this.#limiter = new LogLimiter(options.clock, logPeriodMs);
    this.#timer = repeat(options.clock, options.periodMs, () => {
      // There is nothing to hold ours against.
      if (options.rest.facts.klines === 'none') return;
      this.#looking ??= this.#look().finally(() => {
        this.#looking = undefined;
      });
    });
  }

  counts(instrument: InstrumentName): AuditCounts {
    const existing = this.#counts.get(instrument);
    if (existing !== undefined) return existing;
    const counts = { compared: 0, equal: 0, mended: 0 };
    this.#counts.set(instrument, counts);
    return counts;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer[Symbol.dispose]();
    this.#closing.abort();
    await this.#looking;
  }

  async #look(): Promise<void> {
    const { rest, instruments, exchangeTime, logger } = this.#options;
    const instrument = instruments[this.#next++ % instruments.length];
    if (instrument === undefined) return;
    const { symbol } = splitInstrumentName(instrument);
    const to = openTimeOf('1m', exchangeTime() - settleTime);
    try {
      const span = { from: to - minutes * minute, to };
      const klines = await rest.klines(symbol, '1m', span, this.#closing.signal);
      for (const kline of klines) this.#compare(instrument, kline);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (!(error instanceof RestError)) throw error;
      const due = this.#limiter.due('refused');
      if (due !== undefined) {
        logger.warn({ instrument, problem: error.message, ...due }, 'Klines cannot be compared');
      }
    }
  }

  #compare(instrument: InstrumentName, kline: Kline): void {
    const { closedCandle, handle, logger } = this.#options;
    const candle = closedCandle(instrument, kline.openTime);
    // What is known to lack trades is the recovery's business.
    if (candle === undefined || !candle.isComplete || candle.isPartial) return;
    const counts = this.counts(instrument);
    counts.compared++;
    if (isEqual(candle, kline)) {
      counts.equal++;
      return;
    }
    const candles = [kline];
    handle({ type: 'knownCandles', instrument, timeframe: '1m', candles, isStored: false });
    const mended = closedCandle(instrument, kline.openTime);
    const isMended = mended !== undefined && isEqual(mended, kline);
    if (isMended) counts.mended++;
    const fields = { instrument, openTime: kline.openTime, isMended, ours: candle, theirs: kline };
    logger.error(fields, 'A candle was not the exchange’s');
  }
}

function isEqual(candle: Candle, kline: Kline): boolean {
  return (
    candle.open === kline.open &&
    candle.high === kline.high &&
    candle.low === kline.low &&
    candle.close === kline.close &&
    candle.volume === kline.volume &&
    candle.quoteVolume === kline.quoteVolume &&
    candle.takerBuyVolume === kline.takerBuyVolume &&
    candle.takerBuyQuoteVolume === kline.takerBuyQuoteVolume &&
    candle.tradeCount === kline.tradeCount
  );
}
