import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import type { Candle } from '../../src/domain/candle.ts';
import type { Gap } from '../../src/domain/gap.ts';
import { CandleReader, CandleWriter } from '../../src/store/candle/candle-store.ts';
import { CandlePartitions } from '../../src/store/candle/partitions.ts';
import { aCandle, aGap } from '../support/a-candle.ts';
import { openTestDatabase } from '../support/postgres.ts';

const minute = 60_000_000;
const start = Date.UTC(2026, 0, 1) * 1000;

describe('what the database will never take', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let writer: CandleWriter;
  let batches = 0;
  beforeAll(async () => {
    database = await openTestDatabase();
    writer = new CandleWriter(database, new CandlePartitions(database, {}, silentLogger));
  });
  afterAll(() => database[Symbol.asyncDispose]());

  const poison: [string, Partial<Candle>, string][] = [
    ['a NUL in its symbol', { instrument: 'sim-binance:BTC\0USDT' }, '22021'],
    ['a symbol of 65 bytes', { instrument: `sim-binance:${'ü'.repeat(32)}x` }, 'candle_symbol'],
    [
      'a symbol of a megabyte',
      { instrument: `sim-binance:${'x'.repeat(1 << 20)}` },
      'candle_symbol',
    ],
    ['no symbol', { instrument: 'sim-binance:' }, 'candle_symbol'],
    ['no exchange', { instrument: 'BTCUSDT' }, 'exchange:SYMBOL'],
    ['a price of 21 digits', { high: 10n ** 38n }, '22003'],
    ['a price of 0', { low: 0n }, 'candle_prices'],
    ['a negative price', { low: -1n }, 'candle_prices'],
    ['a high below its open', { high: 1n }, 'candle_prices'],
    ['a negative volume', { volume: -1n, takerBuyVolume: -2n }, 'candle_sums'],
    ['more bought than traded', { takerBuyVolume: 10n ** 30n }, 'candle_sums'],
    ['a negative trade count', { tradeCount: -1 }, 'candle_counts'],
    ['half a trade', { tradeCount: 0.5 }, '22P02'],
    ['a revision beyond 32 bits', { revision: 2 ** 31 }, '22003'],
    ['one trade id of two', { lastTradeId: undefined }, 'candle_trade_ids'],
    ['no time', { closeTime: Number.NaN }, 'whole microseconds'],
    ['an end before its open', { closeTime: 0 }, 'candle_times'],
    ['an open state', { isClosed: false }, 'closed candle'],
  ];

  test.each(poison)('a candle with %s is left out, the rest is stored', async (_, bad, reason) => {
    const instrument = `sim-binance:P${++batches}`;
    const good = Array.from({ length: 9 }, (_, index) =>
      aCandle({ instrument, openTime: start + index * minute }),
    );
    const refused = aCandle({ instrument, openTime: start + 9 * minute, ...bad });
    const result = await writer.writeBatch({
      candles: [...good.slice(0, 5), refused, ...good.slice(5)],
      gaps: [aGap({ instrument })],
      cursor: { name: instrument, value: 'after' },
    });

    expect(result).toMatchObject({ written: 9, superseded: 0 });
    expect(result.refused).toEqual([{ item: refused, reason: expect.stringContaining(reason) }]);
    const reader = new CandleReader(database);
    const [exchange = '', symbol = ''] = instrument.split(':');
    expect(await reader.listCandles({ exchange, symbol, timeframe: '1m', limit: 99 })).toEqual(
      good,
    );
    expect(await reader.readCursor(instrument)).toBe('after');
    const gaps = await database.run((sql) => sql`select from gap where symbol = ${symbol}`);
    expect(gaps).toHaveLength(1);
  });

  const poisonGaps: [string, Partial<Gap>][] = [
    ['a NUL in its symbol', { instrument: 'sim-binance:BTC\0USDT' }],
    ['no exchange', { instrument: 'BTCUSDT' }],
    ['its end before its beginning', { firstMissingId: 21 }],
    ['no time', { lastMissingId: 21, toTime: Number.NaN }],
  ];
  test.each(poisonGaps)('a gap with %s is left out, the rest is stored', async (_, bad) => {
    const instrument = `sim-binance:G${++batches}`;
    const refused = aGap({ instrument, ...bad });
    const result = await writer.writeBatch({
      candles: [aCandle({ instrument })],
      gaps: [aGap({ instrument }), refused],
      cursor: { name: instrument, value: 'after' },
    });
    expect(result.written).toBe(1);
    expect(result.refused.map(({ item }) => item)).toEqual([refused]);
    expect(await new CandleReader(database).readCursor(instrument)).toBe('after');
  });

  test('a batch of nothing else ends, too, and moves the cursor', async () => {
    const candles = Array.from({ length: 50 }, (_, index) =>
      aCandle({ openTime: start + index * minute, low: 0n }),
    );
    const cursor = { name: 'all bad', value: 'after' };
    const result = await writer.writeBatch({ candles, gaps: [], cursor });
    expect(result.written).toBe(0);
    expect(result.refused).toHaveLength(50);
    expect(await new CandleReader(database).readCursor('all bad')).toBe('after');
  });

  const prices = ['open', 'high', 'low', 'close'];
  const sums = [
    'volume',
    'quote_volume',
    'taker_buy_volume',
    'taker_buy_quote_volume',
    'price_sum',
  ];
  test.each(
    [...prices, ...sums].flatMap((column) =>
      ['NaN', 'Infinity', '-Infinity', '-1'].map((value) => [column, value] as const),
    ),
  )('the table itself refuses %s = %s', async (column, value) => {
    await writer.writeBatch({ candles: [aCandle()], gaps: [] });
    await expect(
      database.run((sql) => sql.text(`update candle set ${column} = '${value}'::numeric`)),
    ).rejects.toThrow(/candle_prices|candle_sums|overflow/u);
  });
});
