import { Code } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import { Timeframe } from '../../../gen/tradewind/market/v1/candle_pb.ts';
import type { Candle } from '../../../src/domain/candle.ts';
import type { CandleHistory } from '../../../src/rpc/market/list-candles.ts';
import { MarketTape, at } from '../../support/market-tape.ts';
import {
  elementInShort,
  isSnapshotEnd,
  openServedMarket,
  reader,
} from '../../support/served-market.ts';

const seconds = { instrument: 'BTCUSDT', timeframe: Timeframe.S1 };
const timestamp = (ms: number) => ({ seconds: BigInt(at(ms)) / 1_000_000n, nanos: 0 });

/** A store that holds these candles. */
function historyOf(candles: readonly Candle[]): CandleHistory {
  return {
    listCandles: ({ from = 0, to = Infinity, limit, newestFirst = false, timeframe }) => {
      const found = candles
        .filter((candle) => candle.timeframe === timeframe)
        .filter(({ openTime }) => openTime >= from && openTime < to)
        .toSorted((a, b) => (newestFirst ? b.openTime - a.openTime : a.openTime - b.openTime));
      return Promise.resolve(found.slice(0, limit));
    },
  };
}

/** What an earlier run has stored: a candle a second from −100 s to −1 s. */
function earlierRun(): Candle[] {
  const tape = new MarketTape({}, 3).opened(-101_000).trade(-101_000, 1, '50').ticker(500);
  return tape.candles('1s').filter(({ openTime }) => openTime >= at(-100_000));
}

const open = (message: { openTime?: { seconds: bigint } | undefined }) =>
  Number(message.openTime?.seconds ?? 0n) - at(0) / 1e6;

test.each([
  ['oldest', false],
  ['newest', true],
])(
  'stored and retained candles are listed as one, %s first, page by page',
  async (_name, newestFirst) => {
    await using served = await openServedMarket({ history: historyOf(earlierRun()) });
    served.tape.opened(0).lastTrade(0, -1_000, 9, '50').ticker(50_500);
    const listed: number[] = [];
    const cursors = new Set<string>();
    let pageToken = '';
    do {
      const page = await served.client.listCandles({
        ...seconds,
        pageSize: 40,
        pageToken,
        newestFirst,
      });
      listed.push(...page.candles.map(open));
      cursors.add(page.cursor);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    const expected = Array.from({ length: 150 }, (_, index) => index - 100);
    expect(listed).toEqual(newestFirst ? expected.toReversed() : expected);
    expect(cursors.size).toBe(1);
  },
);

test('a range is listed by open time, its start included and its end not', async () => {
  await using served = await openServedMarket({ history: historyOf(earlierRun()) });
  served.tape.opened(0).lastTrade(0, -1_000, 9, '50').ticker(5_500);
  const range = { startTime: timestamp(-2_000), endTime: timestamp(2_000) };
  const { candles, nextPageToken } = await served.client.listCandles({ ...seconds, ...range });
  expect(candles.map(open)).toEqual([-2, -1, 0, 1]);
  expect(nextPageToken).toBe('');
});

test('the better version of a candle is listed, whether stored or retained', async () => {
  const tape = new MarketTape().opened(0).trade(100, 1, '70').ticker(1_500);
  const [retained] = tape.candles('1s');
  const stored = { ...retained, run: 3, tradeCount: 5, close: 60n * 10n ** 18n } as Candle;
  await using served = await openServedMarket({ tape, history: historyOf([stored]) });
  const { candles } = await served.client.listCandles(seconds);
  expect(candles.map(({ close, tradeCount }) => [close, tradeCount])).toEqual([['60', 5n]]);
});

test('listing to a cursor and streaming from it loses and repeats nothing', async () => {
  const stored: Candle[] = [];
  await using served = await openServedMarket({ history: historyOf(stored) });
  const { tape, client } = served;
  tape.opened(0).trade(100, 1).ticker(5_500);
  stored.push(...tape.candles('1s'));
  const first = await client.listCandles({ ...seconds, pageSize: 2 });
  // While somebody turns the pages the market goes on, and the persistor stores what it publishes.
  tape.ticker(8_500).lateTrade(1_200, 8_600, 2, '105');
  stored.splice(0, Infinity, ...tape.candles('1s').toReversed());
  const second = await client.listCandles({
    ...seconds,
    pageSize: 100,
    pageToken: first.nextPageToken,
  });
  const listed = [...first.candles, ...second.candles].map(
    (candle) => `${open(candle)} ${candle.close} r${candle.revision}`,
  );
  expect(listed).toEqual(['0 100 r1', '1 100 r1', '2 100 r1', '3 100 r1', '4 100 r1']);
  await using stream = reader(
    client.streamCandles({ selections: [seconds], resumeAfter: second.cursor }),
  );
  const streamed = (await stream.until(isSnapshotEnd)).map(elementInShort);
  const published = tape.closed('1s').length;
  expect(streamed).toHaveLength(published - listed.length + 1);
  expect(streamed.slice(0, 4)).toEqual(['5 100 r1', '6 100 r1', '7 100 r1', '1 105 r2']);
});

test('a store that does not answer is UNAVAILABLE, not an empty list', async () => {
  const history = { listCandles: () => Promise.reject(new Error('down')) };
  await using served = await openServedMarket({ history });
  await expect(served.client.listCandles(seconds)).rejects.toMatchObject({
    code: Code.Unavailable,
  });
});

test.each([
  ['page_size', { ...seconds, pageSize: 1001 }],
  ['page_size', { ...seconds, pageSize: -1 }],
  ['page_token', { ...seconds, pageToken: 'p1.x' }],
  ['page_token', { ...seconds, pageToken: 'p1.5.c9.1.1.1' }],
  ['timeframe', { instrument: 'BTCUSDT' }],
  ['instrument', { timeframe: Timeframe.S1 }],
  ['start_time', { ...seconds, startTime: { seconds: -1n, nanos: 0 } }],
  ['end_time', { ...seconds, endTime: { seconds: 253_402_300_799n, nanos: 0 } }],
])('a wrong %s is refused by name', async (field, request) => {
  await using served = await openServedMarket();
  const refusal = served.client.listCandles(request);
  await expect(refusal).rejects.toMatchObject({ code: Code.InvalidArgument });
  await expect(refusal).rejects.toThrow(field);
});
