import type { Candle } from '../../src/domain/candle.ts';
import type { Gap } from '../../src/domain/gap.ts';
import { Market } from '../../src/market/market.ts';
import type { MarketLimits } from '../../src/market/market-limits.ts';
import type { MarketUpdate } from '../../src/market/market-update.ts';
import { formatDecimal } from '../../src/base/decimal.ts';
import { aBookTicker, aTrade, noon } from './builders.ts';

type TradeParts = Parameters<typeof aTrade>[0];

/** A market and everything that it published; times are milliseconds since noon. */
export class MarketTape {
  readonly updates: MarketUpdate[] = [];
  readonly market: Market;
  #updateId = 0;

  constructor(limits: Partial<MarketLimits> = {}, run = 7) {
    this.market = new Market({
      run,
      limits,
      publish: (update) => {
        this.updates.push(update);
        this.onUpdate(update);
      },
    });
  }

  /** For those who want to be told. */
  onUpdate: (update: MarketUpdate) => void = () => {};

  opened(ms: number, instruments = ['binance:BTCUSDT'], connection = '1'): this {
    this.market.handle({ type: 'connectionOpened', connection, instruments, receivedTime: at(ms) });
    return this;
  }

  lost(ms: number, connection = '1'): this {
    this.market.handle({ type: 'connectionLost', connection, reason: 'cut', receivedTime: at(ms) });
    return this;
  }

  /** A trade that is sent and received as it happens, unless `parts` say otherwise. */
  trade(ms: number, id: number, price = '100', parts: TradeParts = {}): this {
    this.market.handle(aTrade({ id, price, exchangeTime: at(ms), ...parts }));
    return this;
  }

  /** A trade that happened at `ms` and is received at `receivedMs`. */
  lateTrade(ms: number, receivedMs: number, id: number, price = '100'): this {
    const received = { eventTime: at(receivedMs), receivedTime: at(receivedMs) };
    return this.trade(ms, id, price, received);
  }

  /** A frame that only shows that the connection delivers. */
  ticker(ms: number, instrument = 'binance:BTCUSDT'): this {
    const updateId = ++this.#updateId;
    this.market.handle(aBookTicker({ instrument, updateId, receivedTime: at(ms) }));
    return this;
  }

  /** The exchange's answer to what the last trade is, asked and answered at `ms`. */
  lastTrade(ms: number, tradeMs: number, id: number, price = '100'): this {
    const trade = aTrade({
      id,
      price,
      exchangeTime: at(tradeMs),
      eventTime: undefined,
      receivedTime: at(ms),
    });
    this.market.handle({ type: 'lastTrade', trade, askedTime: at(ms), receivedTime: at(ms) });
    return this;
  }

  tick(ms: number): this {
    this.market.tick(at(ms));
    return this;
  }

  gaps(): Gap[] {
    return this.updates.filter((update) => update.type === 'gap');
  }

  candles(timeframe: string, instrument = 'binance:BTCUSDT'): Candle[] {
    return this.updates
      .flatMap((update) => (update.type === 'candle' ? [update.candle] : []))
      .filter((candle) => candle.timeframe === timeframe && candle.instrument === instrument);
  }

  /** The closed candles in the order of their publication, in short: "3 100/105/99/104 n=7 r1". */
  closed(timeframe: string, instrument?: string): string[] {
    return this.candles(timeframe, instrument)
      .filter(({ isClosed }) => isClosed)
      .map(inShort);
  }
}

export const at = (ms: number) => noon + Math.round(ms * 1000);

/** The second it opens at, open/high/low/close, trades, revision; P for partial, ! for incomplete. */
export function inShort(candle: Candle): string {
  const { open, high, low, close } = candle;
  const prices = [open, high, low, close].map(formatDecimal).join('/');
  const flags = `${candle.isPartial ? ' P' : ''}${candle.isComplete ? '' : ' !'}`;
  const seconds = (candle.openTime - noon) / 1e6;
  return `${seconds} ${prices} n=${candle.tradeCount} r${candle.revision}${flags}`;
}
