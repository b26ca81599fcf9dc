import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import type { Candle } from '../../../src/domain/candle.ts';
import { timeframes } from '../../../src/domain/timeframe.ts';
import { CandleReader, CandleWriter } from '../../../src/store/candle/candle-store.ts';
import { CandlePartitions } from '../../../src/store/candle/partitions.ts';
import { aCandle, aGap } from '../../support/a-candle.ts';
import { openTestDatabase } from '../../support/postgres.ts';

const minute = 60_000_000;
const start = Date.UTC(2026, 0, 1) * 1000;

describe('the candle store', () => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let writer: CandleWriter;
  let reader: CandleReader;
  let symbols = 0;
  /** Each test has an instrument of its own. */
  const anInstrument = () => `sim-binance:S${++symbols}`;
  const read = (instrument: string, timeframe: Candle['timeframe'] = '1m') =>
    reader.listCandles({
      exchange: 'sim-binance',
      symbol: instrument.slice('sim-binance:'.length),
      timeframe,
      limit: 1000,
    });
  const write = (...candles: Candle[]) => writer.writeBatch({ candles, gaps: [] });

  beforeAll(async () => {
    database = await openTestDatabase();
    writer = new CandleWriter(database, new CandlePartitions(database, {}, silentLogger));
    reader = new CandleReader(database);
  });
  afterAll(() => database[Symbol.asyncDispose]());

  test('gives back every field of a candle of every timeframe, to the last digit', async () => {
    const instrument = 'sim-binance:Ünï"\\,{}\'🚀 NULL';
    const candles = timeframes.map((timeframe) =>
      aCandle({
        instrument,
        timeframe,
        open: 1n,
        high: 999_999_999_999_999_999_999_999_999_999_999n,
        low: 1n,
        close: 2n,
        volume: 10n ** 40n + 1n,
        quoteVolume: 10n ** 60n + 1n,
        takerBuyVolume: 10n ** 40n,
        takerBuyQuoteVolume: 10n ** 60n,
        priceSum: 10n ** 45n + 1n,
        tradeCount: Number.MAX_SAFE_INTEGER,
        firstTradeId: 0,
        lastTradeId: Number.MAX_SAFE_INTEGER,
        isComplete: false,
        isPartial: true,
        revision: 7,
        source: 'klines',
      }),
    );
    await write(...candles);
    for (const candle of candles) {
      expect(await read(instrument, candle.timeframe)).toEqual([candle]);
    }
  });

  test('gives back a flat candle without trade ids', async () => {
    const flat = aCandle({
      instrument: anInstrument(),
      volume: 0n,
      quoteVolume: 0n,
      takerBuyVolume: 0n,
      takerBuyQuoteVolume: 0n,
      tradeCount: 0,
      priceSum: 0n,
      firstTradeId: undefined,
      lastTradeId: undefined,
    });
    await write(flat);
    expect(await read(flat.instrument)).toEqual([flat]);
  });

  describe('of two versions of a candle', () => {
    const base = { tradeCount: 3, run: 1_767_225_600_000_000, revision: 2 };
    test.each([
      ['more trades', { tradeCount: 4 }, true],
      ['more trades of an older run and revision', { tradeCount: 4, run: 1, revision: 1 }, true],
      ['a newer run', { run: base.run + 1 }, true],
      ['a newer run at its first revision', { run: base.run + 1, revision: 1 }, true],
      ['a higher revision', { revision: 3 }, true],
      ['the same again', {}, false],
      ['fewer trades', { tradeCount: 2 }, false],
      ['fewer trades of a newer run', { tradeCount: 2, run: base.run + 1 }, false],
      ['an older run', { run: base.run - 1 }, false],
      ['an older run at a higher revision', { run: base.run - 1, revision: 9 }, false],
      ['a lower revision', { revision: 1 }, false],
    ])('%s: replaces %o — %s', async (_, difference, replaces) => {
      for (const together of [false, true]) {
        const instrument = anInstrument();
        const stored = aCandle({ instrument, ...base, price: '100' });
        const later = aCandle({ instrument, ...base, ...difference, price: '200' });
        if (together) await write(stored, later);
        else {
          await write(stored);
          const result = await write(later);
          expect(result).toMatchObject({ written: replaces ? 1 : 0, superseded: replaces ? 0 : 1 });
        }
        expect(await read(instrument)).toEqual([replaces ? later : stored]);
      }
    });
  });

  test('writes the cursor with the batch, also when there is nothing else in it', async () => {
    const instrument = anInstrument();
    expect(await reader.readCursor('one')).toBeUndefined();
    await writer.writeBatch({
      candles: [aCandle({ instrument })],
      gaps: [],
      cursor: { name: 'one', value: 'c1.1.1.1' },
    });
    expect(await reader.readCursor('one')).toBe('c1.1.1.1');
    await writer.writeBatch({ candles: [], gaps: [], cursor: { name: 'one', value: 'c1.1.2.1' } });
    expect(await reader.readCursor('one')).toBe('c1.1.2.1');
    expect(await reader.readCursor('two')).toBeUndefined();
  });

  test('knows the highest run that has stored a candle', async () => {
    const run = 8_000_000_000_000_000;
    await write(aCandle({ instrument: anInstrument(), run }));
    await write(aCandle({ instrument: anInstrument(), run: run - 1 }));
    expect(await reader.latestRun()).toBe(run);
  });

  test('lists a range by open time, both ways, up to the limit', async () => {
    const instrument = anInstrument();
    const candles = Array.from({ length: 10 }, (_, index) =>
      aCandle({ instrument, openTime: start + index * minute }),
    );
    await write(...candles.toReversed());
    const query = {
      exchange: 'sim-binance',
      symbol: instrument.slice('sim-binance:'.length),
      timeframe: '1m',
      from: start + 2 * minute,
      to: start + 8 * minute,
    } as const;
    expect(await reader.listCandles({ ...query, limit: 3 })).toEqual(candles.slice(2, 5));
    expect(await reader.listCandles({ ...query, limit: 3, newestFirst: true })).toEqual(
      candles.slice(5, 8).toReversed(),
    );
    expect(await reader.listCandles({ ...query, limit: 100 })).toEqual(candles.slice(2, 8));
  });

  test.each([
    [['open'], 'open'],
    [['open', 'filled'], 'filled'],
    [['open', 'absent'], 'absent'],
    [['filled', 'open'], 'filled'],
    [['absent', 'open'], 'absent'],
    [['open', 'absent', 'filled', 'open'], 'filled'],
  ] as const)('a gap that was %j is stored as %s', async (states, last) => {
    for (const together of [false, true]) {
      const gaps = states.map((state) => aGap({ instrument: anInstrument(), state }));
      const instrument = gaps[0]?.instrument ?? '';
      const same = gaps.map((gap) => ({ ...gap, instrument }));
      if (together) await writer.writeBatch({ candles: [], gaps: same });
      else for (const gap of same) await writer.writeBatch({ candles: [], gaps: [gap] });
      const rows = await database.run(
        (sql) => sql`select * from gap where symbol = ${instrument.slice('sim-binance:'.length)}`,
      );
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        first_missing_id: 11,
        last_missing_id: 20,
        from_time: start,
        to_time: start + 1,
        state: last,
      });
    }
  });

  test('an old view shows one-minute candles as binance-trading-chart-service stored them', async () => {
    const instrument = anInstrument();
    await write(aCandle({ instrument, price: '0.1' }), aCandle({ instrument, timeframe: '3m' }));
    const rows = await database.run(
      (sql) => sql`
        select *, pg_typeof(open)::text as type from agg_trade_ticks
        where symbol = ${instrument.slice('sim-binance:'.length)}`,
    );
    expect(rows).toEqual([
      {
        symbol: instrument.slice('sim-binance:'.length),
        timestamp: start,
        open: 0.1,
        high: 0.1,
        low: 0.1,
        close: 0.1,
        volume: 1.5,
        exchange: 'sim-binance',
        type: 'double precision',
      },
    ]);
  });

  test('two writers of the same candles in opposite orders do not lock each other up', async () => {
    const instruments = Array.from({ length: 20 }, anInstrument);
    const candles = instruments.flatMap((instrument) =>
      Array.from({ length: 50 }, (_, index) =>
        aCandle({ instrument, openTime: start + index * minute }),
      ),
    );
    const results = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        write(...(index % 2 === 0 ? candles : candles.toReversed())),
      ),
    );
    const total = results.reduce((sum, { written }) => sum + written, 0);
    expect(total).toBe(candles.length);
  });
});
