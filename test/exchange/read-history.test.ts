import { expect, test } from 'vitest';
import type { Micros } from '../../src/base/clock.ts';
import type { MarketEvent } from '../../src/domain/market-event.ts';
import type { Timeframe } from '../../src/domain/timeframe.ts';
import type { Trade } from '../../src/domain/trade.ts';
import { binance } from '../../src/exchange/binance.ts';
import { coinbase } from '../../src/exchange/coinbase.ts';
import type { ExchangeFacts, ExchangeRest } from '../../src/exchange/exchange.ts';
import { kraken } from '../../src/exchange/kraken.ts';
import { readHistory } from '../../src/exchange/read-history.ts';
import { aTrade } from '../support/builders.ts';
import { at } from '../support/market-tape.ts';
import { TwinClock } from '../support/twin-clock.ts';

/** Reads the history `ms` after noon of an exchange that has these trades; what was asked and told. */
async function readAt(
  ms: number,
  trades: readonly Trade[] = [],
  facts: ExchangeFacts = binance.facts,
  since?: Micros,
) {
  const events: MarketEvent[] = [];
  const klinesUntil = new Map<Timeframe, Micros>();
  let tradesFrom = 0;
  const rest: Partial<ExchangeRest> = {
    facts,
    tradesPerAnswer: 1000,
    trades: (_symbol, from) => {
      if ('fromTime' in from) tradesFrom = from.fromTime;
      return Promise.resolve(trades);
    },
    klines: (_symbol, timeframe, { to }) => {
      klinesUntil.set(timeframe, to - 1);
      return Promise.resolve([]);
    },
  };
  const parts = {
    rest: rest as ExchangeRest,
    stored: undefined,
    handle: (event: MarketEvent) => void events.push(event),
    clock: new TwinClock(at(ms)),
    exchangeTime: () => at(ms),
    bounds: { historyCandles: 3, horizonMs: 30 * 86_400_000, tradesHorizonMs: 7_200_000 },
  };
  await readHistory(parts, 'binance:BTCUSDT', since, new AbortController().signal);
  return { events, tradesFrom, klinesUntil };
}

test.each([0, 1, 500, 1999, 2000, 2001, 30_000, 59_999])(
  'at a first start %i ms into a minute no candle is left out between klines and trades',
  async (ms) => {
    const { tradesFrom, klinesUntil } = await readAt(ms);
    expect((klinesUntil.get('1s') ?? 0) + 1_000_000).toBe(tradesFrom);
    expect((klinesUntil.get('1m') ?? 0) + 60_000_000).toBe(tradesFrom);
  },
);

test('what the exchange does not tell between two of its trades is absent', async () => {
  const ids = [3, 4, 1_000_000, 1_000_002];
  const trades = ids.map((id, index) => aTrade({ id, exchangeTime: at(30_000 + index) }));
  const { events } = await readAt(31_000, trades);
  expect(events.filter(({ type }) => type === 'absentTrades')).toMatchObject([
    { firstId: 5, lastId: 999_999 },
    { firstId: 1_000_001, lastId: 1_000_001 },
  ]);
});

test('of an exchange without whole klines none are asked for, and no hole counts as filled by them', async () => {
  const trades = [1, 2].map((id) => aTrade({ id, exchangeTime: at(30_000 + id) }));
  const { events, klinesUntil } = await readAt(31_000, trades, coinbase.facts);
  expect(klinesUntil.size).toBe(0);
  expect(events.find(({ type }) => type === 'recoveredTrades')).toMatchObject({ wholeFrom: at(0) });
  expect(events.at(-1)).toMatchObject({
    type: 'historyRead',
    settledBefore: 0,
    settledBelowId: undefined,
  });
});

test('ids that are left out between an exchange’s trades are nothing that is missing', async () => {
  const trades = [3, 7].map((id) => aTrade({ id, exchangeTime: at(30_000 + id) }));
  const { events } = await readAt(31_000, trades, kraken.facts);
  expect(events.filter(({ type }) => type === 'absentTrades')).toMatchObject([
    { firstId: 4, lastId: 6, isNothingMissing: true },
  ]);
});

test.each([
  ['klines goes back two hours', binance.facts, 2 * 3_600_000],
  ['trades alone goes back a day', kraken.facts, 86_400_000],
])('the reading of trades of an exchange with %s at most', async (_name, facts, reachMs) => {
  const { tradesFrom } = await readAt(0, [], facts, at(-10 * 86_400_000));
  expect(tradesFrom).toBe(at(-reachMs));
});
