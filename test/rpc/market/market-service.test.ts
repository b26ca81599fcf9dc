import { Code } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { Timeframe } from '../../../gen/tradewind/market/v1/candle_pb.ts';
import type { StreamCandlesResponse } from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import { formatCursor } from '../../../src/rpc/market/cursor.ts';
import { eventually } from '../../support/eventually.ts';
import { MarketTape, at } from '../../support/market-tape.ts';
import {
  elementInShort,
  isSnapshotEnd,
  openServedMarket,
  reader,
} from '../../support/served-market.ts';

const seconds = [{ instrument: 'BTCUSDT', timeframe: Timeframe.S1 }];

test('a stream begins with the latest closed candle and the open one, then come updates', async () => {
  await using served = await openServedMarket();
  served.tape.opened(0).trade(100, 1, '100').trade(1_100, 2, '101').ticker(1_600);
  await using stream = reader(
    served.client.streamCandles({ selections: seconds, includeOpen: true }),
  );
  const snapshot = await stream.until(isSnapshotEnd);
  // The clock of this server stands at noon: the newest second with a trade is the open one.
  expect(snapshot.map(elementInShort)).toEqual(['0 100 r1', '1 101 open', 'snapshotEnd']);
  served.tape.trade(1_700, 3, '102').tick(1_800).ticker(2_600);
  expect(elementInShort(await stream.next())).toMatch(/^1 102 (open|r1)$/);
});

test('without include_open only closed candles come', async () => {
  await using served = await openServedMarket();
  served.tape.opened(0).trade(100, 1);
  await using stream = reader(served.client.streamCandles({ selections: seconds }));
  expect((await stream.until(isSnapshotEnd)).map(elementInShort)).toEqual(['snapshotEnd']);
  served.tape.trade(900, 2, '101').tick(1_000).ticker(1_600);
  expect(elementInShort(await stream.next())).toBe('0 101 r1');
});

test('two subscribers see the same candles, and none stops nothing', async () => {
  await using served = await openServedMarket();
  served.tape.opened(0).trade(100, 1);
  await using first = reader(served.client.streamCandles({ selections: seconds }));
  await using second = reader(served.client.streamCandles({ selections: seconds }));
  await first.until(isSnapshotEnd);
  await second.until(isSnapshotEnd);
  for (let ms = 1_500; ms <= 10_500; ms += 1_000) served.tape.ticker(ms);
  const isLast = (element: StreamCandlesResponse) => elementInShort(element).startsWith('9 ');
  const seen = await first.until(isLast);
  expect(seen.map(elementInShort)).toHaveLength(10);
  expect(await second.until(isLast)).toEqual(seen);
});

test('every cursor of a run resumes exactly where it stands', async () => {
  await using served = await openServedMarket();
  served.tape.opened(0).trade(100, 1);
  await using whole = reader(served.client.streamCandles({ selections: seconds }));
  await whole.until(isSnapshotEnd);
  for (let ms = 1_500; ms <= 6_500; ms += 1_000) served.tape.ticker(ms);
  served.tape.lateTrade(2_100, 6_600, 2, '105');
  const elements = await whole.until((element) => elementInShort(element) === '5 105 r2');
  expect(elements.length).toBeGreaterThan(8);
  for (const [index, { cursor }] of elements.entries()) {
    await using resumed = reader(
      served.client.streamCandles({ selections: seconds, resumeAfter: cursor }),
    );
    const again = (await resumed.until(isSnapshotEnd)).slice(0, -1);
    expect(again.map(elementInShort)).toEqual(elements.slice(index + 1).map(elementInShort));
  }
});

test('a cursor of another run brings the last hour before it again, marked as repeats', async () => {
  const run = at(-3 * 3_600_000);
  await using served = await openServedMarket({ tape: new MarketTape({}, run) });
  served.tape.opened(-7_200_000).trade(-7_199_000, 1).ticker(500);
  const cursor = formatCursor({ run: 5, sequence: 99, watermark: at(0) });
  const selections = [{ instrument: '', timeframe: Timeframe.M30 }];
  await using stream = reader(served.client.streamCandles({ selections, resumeAfter: cursor }));
  const snapshot = await stream.until(isSnapshotEnd);
  expect(snapshot.map(elementInShort)).toEqual([
    '-3600 100 r1 again',
    '-1800 100 r1 again',
    'snapshotEnd',
  ]);
});

test.each([
  ['of a run before this one', { run: 5, sequence: 9, watermark: at(0) }],
  [
    'of this run, whose entries are not retained any more',
    { run: 7, sequence: 1, watermark: at(0) },
  ],
])('a cursor %s is OUT_OF_RANGE', async (_name, position) => {
  const tape = new MarketTape({ secondsRetentionMs: 60_000 });
  await using served = await openServedMarket({ tape });
  tape.opened(0).trade(100, 1).ticker(600_500);
  const stream = reader(
    served.client.streamCandles({ selections: seconds, resumeAfter: formatCursor(position) }),
  );
  await expect(stream.next()).rejects.toMatchObject({ code: Code.OutOfRange });
});

test('include_retained brings all that there is', async () => {
  await using served = await openServedMarket();
  served.tape.opened(0).trade(100, 1).ticker(3_500).trade(3_600, 5).tick(4_000);
  await using stream = reader(
    served.client.streamCandles({ selections: seconds, includeRetained: true }),
  );
  expect((await stream.until(isSnapshotEnd)).map(elementInShort)).toEqual([
    '0 100 r1',
    '1 100 r1',
    '2 100 r1',
    'gap',
    '0 100 r2',
    '1 100 r2',
    '2 100 r2',
    'snapshotEnd',
  ]);
});

test('what is published while the snapshot goes out waits in the log, however much it is', async () => {
  await using served = await openServedMarket({ readerLimits: { maxPendingBytes: 20_000 } });
  const { tape } = served;
  tape.opened(0);
  const tradeUntil = (from: number, to: number) => {
    for (let second = from; second < to; second++) {
      tape.trade(second * 1_000 + 100, second + 1).ticker(second * 1_000 + 1_600);
    }
  };
  tradeUntil(0, 2_900);
  await using stream = reader(
    served.client.streamCandles({ selections: seconds, includeRetained: true }),
  );
  // Nobody reads on: the most of it cannot have been sent.
  const first = await stream.next();
  tradeUntil(2_900, 3_500);
  const told = [first, ...(await stream.until(isSnapshotEnd))]
    .flatMap(({ event }) => (event.case === 'candle' ? [event.value] : []))
    .map(({ openTime, revision }) => `${Number(openTime?.seconds) - at(0) / 1e6} r${revision}`);
  expect(told.length).toBeGreaterThanOrEqual(3_499);
  expect(told).toEqual(told.map((_, second) => `${second} r1`));
  tape.trade(3_500_100, 3_501).ticker(3_501_600);
  expect(elementInShort(await stream.next())).toBe(`${told.length} 100 r1`);
});

test.each([
  ['no selection', { selections: [] }, Code.InvalidArgument, 'selections'],
  ['no timeframe', { selections: [{ instrument: 'BTCUSDT' }] }, Code.InvalidArgument, 'timeframe'],
  [
    'an unknown timeframe',
    { selections: [{ instrument: 'BTCUSDT', timeframe: 99 as Timeframe }] },
    Code.InvalidArgument,
    'timeframe',
  ],
  [
    'an unknown symbol',
    { selections: [{ instrument: 'NOPE', timeframe: Timeframe.S1 }] },
    Code.NotFound,
    'binance:BTCUSDT',
  ],
  [
    'a symbol with a NUL',
    { selections: [{ instrument: 'BTC\u0000USDT', timeframe: Timeframe.S1 }] },
    Code.InvalidArgument,
    'instrument',
  ],
  [
    'an invented cursor',
    { selections: seconds, resumeAfter: 'yesterday' },
    Code.InvalidArgument,
    'resume_after',
  ],
  [
    'a cursor that no number holds exactly',
    { selections: seconds, resumeAfter: 'c1.9999999999999999.1.1' },
    Code.InvalidArgument,
    'resume_after',
  ],
  [
    'a cursor that is ahead of the run',
    { selections: seconds, resumeAfter: 'c1.7.999.1' },
    Code.InvalidArgument,
    'resume_after',
  ],
  [
    'a cursor and include_retained',
    { selections: seconds, resumeAfter: 'c1.7.0.1', includeRetained: true },
    Code.InvalidArgument,
    'include_retained',
  ],
])('%s is refused with the field named', async (_name, request, code, words) => {
  await using served = await openServedMarket();
  const stream = reader(served.client.streamCandles(request));
  const error = await stream.next().then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toMatchObject({ code });
  expect(String(error)).toContain(words);
});

test.each(['BTCUSDT', 'btcusdt', 'binance:BTCUSDT', 'sim-binance:BTCUSDT'])(
  'in TEST mode %s is the simulated instrument',
  async (instrument) => {
    await using served = await openServedMarket({
      instruments: ['sim-binance:BTCUSDT'],
      defaultExchange: 'sim-binance',
    });
    await using stream = reader(
      served.client.streamCandles({ selections: [{ instrument, timeframe: Timeframe.S1 }] }),
    );
    expect(elementInShort(await stream.next())).toBe('snapshotEnd');
  },
);

test('trades and book tickers stream from the last one known on', async () => {
  await using served = await openServedMarket();
  served.tape.opened(0).trade(100, 1, '100').ticker(200);
  const abort = new AbortController();
  const prices: string[] = [];
  const trades = (async () => {
    const stream = served.client.streamTrades({}, { signal: abort.signal });
    for await (const { event } of stream) {
      prices.push(event.case === 'trade' ? event.value.price : (event.case ?? ''));
    }
  })().catch(() => {});
  const updateIds: unknown[] = [];
  const tickers = (async () => {
    const request = { instruments: ['BTCUSDT'] };
    const stream = served.client.streamBookTickers(request, { signal: abort.signal });
    for await (const { event } of stream) {
      updateIds.push(event.case === 'bookTicker' ? event.value.updateId : event.case);
    }
  })().catch(() => {});
  await eventually(() => prices.length === 2 && updateIds.length === 2);
  served.tape.trade(300, 2, '101').trade(400, 3, '102').ticker(500);
  await eventually(() => {
    expect(prices).toEqual(['100', 'snapshotEnd', '101', '102']);
    expect(updateIds).toEqual([1n, 'snapshotEnd', 2n]);
  });
  abort.abort();
  await Promise.all([trades, tickers]);
  await eventually(() => {
    const readers = Object.values(served.broadcast.statistics).map(({ readers }) => readers);
    expect(readers).toEqual([0, 0, 0]);
  });
});
