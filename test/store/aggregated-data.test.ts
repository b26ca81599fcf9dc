import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { parseDecimal } from '../../src/base/decimal.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { setWindow } from '../../src/persistor/set-window.ts';
import { setAggregatorWindow } from '../../src/store/candle/aggregator-window.ts';
import { CandleWriter } from '../../src/store/candle/candle-store.ts';
import { CandlePartitions } from '../../src/store/candle/partitions.ts';
import { aCandle } from '../support/a-candle.ts';
import { eventually } from '../support/eventually.ts';
import { openTestDatabase } from '../support/postgres.ts';

const minute = 60_000_000;
const start = Date.UTC(2026, 0, 1) * 1000;

async function openStore() {
  const database = await openTestDatabase();
  const writer = new CandleWriter(database, new CandlePartitions(database, {}, silentLogger));
  const rows = () =>
    database.run(
      (sql) => sql`
        select pair_name, exchange, timestamp, average_price, min_price, max_price
        from "AggregatedData" order by timestamp, exchange`,
    );
  return Object.assign(database, { writer, rows });
}

test('the view "AggregatedData" has MarketFlow’s columns, of every minute that was traded in', async () => {
  await using store = await openStore();
  const [high, low] = [parseDecimal('12.5'), parseDecimal('9')];
  const traded = { high, low, open: low, close: low, priceSum: parseDecimal('30') };
  const nothing = { volume: 0n, quoteVolume: 0n, takerBuyVolume: 0n, takerBuyQuoteVolume: 0n };
  const flat = { ...nothing, tradeCount: 0, firstTradeId: undefined, lastTradeId: undefined };
  await store.writer.writeBatch({
    candles: [
      aCandle({ ...traded, instrument: 'exchange1:BTCUSDT' }),
      aCandle({
        ...traded,
        instrument: 'exchange2:BTCUSDT',
        source: 'klines',
        priceSum: undefined,
      }),
      aCandle({ ...flat, instrument: 'exchange1:BTCUSDT', openTime: start + minute }),
    ],
    gaps: [],
  });
  const row = { pair_name: 'BTCUSDT', timestamp: start, min_price: 9, max_price: 12.5 };
  expect(await store.rows()).toEqual([
    { ...row, exchange: 'exchange1', average_price: 10 },
    { ...row, exchange: 'exchange2', average_price: null },
  ]);
});

test('AGGREGATOR_WINDOW is how wide its rows are', async () => {
  await using store = await openStore();
  const candles = (['1s', '1m', '5m', '1M'] as const).map((timeframe, index) =>
    aCandle({ timeframe, price: String(index + 1) }),
  );
  await store.writer.writeBatch({ candles, gaps: [] });
  const averages = async () => (await store.rows()).map((row) => row['average_price']);
  expect(await averages()).toEqual([2]);
  await setAggregatorWindow(store, '5m');
  expect(await averages()).toEqual([3]);
  using _window = setWindow(store, '1M', { clock: systemClock, logger: silentLogger });
  await eventually(async () => expect(await averages()).toEqual([4]));
});
