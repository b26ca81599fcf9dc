import { expect } from 'vitest';
import type { Candle } from '../../src/domain/candle.ts';
import type { Trade } from '../../src/domain/trade.ts';
import type { Market } from '../../src/market/market.ts';
import { aBookTicker, aTrade } from '../support/builders.ts';
import { modelCandles } from './candle-model.ts';
import type { ModelCandle, ModelTrade } from './candle-model.ts';
import { delay } from './candle-scenario.ts';
import type { Life } from './candle-scenario.ts';

export type MarketClass = typeof Market;

const grace = 500_000;

/** Runs the lives of a scenario through the engine and holds what is stored against the model. */
export function checkCandles(MarketUnderTest: MarketClass, lives: readonly Life[]): void {
  const stored = new Map<string, Candle>();
  const expected = new Map<string, ModelCandle[]>();
  for (const [index, life] of lives.entries()) {
    for (const candle of runLife(MarketUnderTest, life, index + 1)) {
      const key = keyOf(candle);
      const other = stored.get(key);
      if (other === undefined || isBetter(candle, other)) stored.set(key, candle);
    }
    const trades = life.flatMap((delivery) => {
      if ('trades' in delivery) return delivery.trades;
      return 'trade' in delivery ? [delivery.trade] : [];
    });
    const observedFrom = life.find(({ type }) => type === 'lastTrade')?.at;
    const end = (life.at(-1)?.at ?? 0) - delay - grace;
    for (const candle of modelCandles(trades, Math.floor(end / 1e6) * 1e6, observedFrom)) {
      const key = keyOf(candle);
      expected.set(key, [...(expected.get(key) ?? []), candle]);
    }
  }
  for (const [key, candle] of stored) {
    const candidates = best(expected.get(key) ?? []);
    expect(candidates, `a candle that should not be: ${key}`).not.toHaveLength(0);
    if (candidates.length === 1) expect(comparable(candle), key).toEqual(comparable(candidates[0]));
    else expect(candidates.map(comparable), key).toContainEqual(comparable(candle));
  }
  for (const [key, candidates] of expected) {
    if (candidates.every(({ isOptional }) => isOptional)) continue;
    expect(stored.has(key), `a candle that should be: ${key}`).toBe(true);
  }
}

/** The candles that one life publishes as closed, in order; each version has the next revision. */
function runLife(MarketUnderTest: MarketClass, life: Life, run: number): Candle[] {
  const published: Candle[] = [];
  const revisions = new Map<string, number>();
  const market = new MarketUnderTest({
    run,
    // What comes at the very end may belong to the very beginning.
    limits: { secondsRetentionMs: 7 * 86_400_000 },
    publish: (update) => {
      if (update.type !== 'candle' || !update.candle.isClosed) return;
      const key = keyOf(update.candle);
      const revision = (revisions.get(key) ?? 0) + 1;
      expect(update.candle.revision, `revision of ${key}`).toBe(revision);
      revisions.set(key, revision);
      published.push(update.candle);
    },
  });
  let connection = 0;
  for (const [index, delivery] of life.entries()) {
    const { at: receivedTime } = delivery;
    if (delivery.type === 'trade') {
      market.handle(tradeOf(delivery.trade, receivedTime));
    } else if (delivery.type === 'lastTrade') {
      const trade = tradeOf(delivery.trade, receivedTime);
      market.handle({ type: 'lastTrade', trade, askedTime: receivedTime, receivedTime });
    } else if (delivery.type === 'recovered') {
      const trades = delivery.trades.map((trade) => tradeOf(trade, receivedTime));
      const told = { instrument: 'binance:BTCUSDT', trades, wholeFrom: undefined, receivedTime };
      market.handle({ type: 'recoveredTrades', ...told });
    } else if (delivery.type === 'bookTicker') {
      market.handle(aBookTicker({ updateId: index, receivedTime }));
    } else if (delivery.type === 'connectionOpened') {
      const instruments = ['binance:BTCUSDT'];
      market.handle({
        type: 'connectionOpened',
        connection: `${++connection}`,
        instruments,
        receivedTime,
      });
    } else {
      market.handle({
        type: 'connectionLost',
        connection: `${connection}`,
        reason: 'cut',
        receivedTime,
      });
    }
    if (index % 3 === 0) market.tick(receivedTime);
  }
  return published;
}

function tradeOf(trade: ModelTrade, receivedTime: number): Trade {
  const { time, isBuyerTaker, price, quantity, ...ids } = trade;
  return {
    ...aTrade(ids),
    price,
    quantity,
    takerSide: isBuyerTaker ? 'buy' : 'sell',
    exchangeTime: time,
    eventTime: receivedTime - delay,
    receivedTime,
  };
}

const keyOf = ({ timeframe, openTime }: { timeframe: string; openTime: number }) =>
  `${timeframe} ${new Date(openTime / 1000).toISOString()}`;

/** How storage chooses between two versions. */
function isBetter(a: Candle, b: Candle): boolean {
  if (a.tradeCount !== b.tradeCount) return a.tradeCount > b.tradeCount;
  return a.run === b.run ? a.revision > b.revision : a.run > b.run;
}

/** Of what the lives expect: the one with the most trades, of the last life; and what may be instead. */
function best(candidates: readonly ModelCandle[]): ModelCandle[] {
  const most = Math.max(...candidates.map(({ tradeCount }) => tradeCount));
  const full = candidates.filter(({ tradeCount }) => tradeCount === most);
  const last = full.findLastIndex(({ isOptional }) => !isOptional);
  return full.slice(Math.max(last, 0));
}

function comparable(candle: Candle | ModelCandle | undefined): Record<string, unknown> {
  const { isOptional: _, ...fields } = candle as ModelCandle;
  const {
    isClosed: _a,
    revision: _b,
    run: _c,
    source: _d,
    instrument: _e,
    ...rest
  } = fields as unknown as Candle;
  return rest;
}
