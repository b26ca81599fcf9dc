import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Timeframe } from '../../../gen/tradewind/market/v1/candle_pb.ts';
import type { PositionBin } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { microsOf, timestampOf } from '../../../src/rpc/messages.ts';
import { anExecutionRow, secondsAfterNoon } from '../../support/an-execution-row.ts';
import type { ExecutionRow } from '../../support/an-execution-row.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { openServedPositions } from '../../support/served-positions.ts';
import type { ServedPositions } from '../../support/served-positions.ts';

let served: ServedPositions;
beforeAll(async () => {
  served = await openServedPositions(await createTestDatabase());
});
afterAll(() => served[Symbol.asyncDispose]());

async function record(account: string, rows: readonly ExecutionRow[]): Promise<void> {
  const executions = rows.map((row) => ({ ...row, account }));
  const { results } = await served.client.recordExecutions({ executions });
  expect(results.filter(({ reason }) => reason !== '')).toEqual([]);
}

/** Everything, page by page. */
async function all<Item>(
  read: (pageToken: string) => Promise<{ items: readonly Item[]; nextPageToken: string }>,
): Promise<{ readonly items: readonly Item[]; readonly pages: number }> {
  const items: Item[] = [];
  for (let pageToken = '', pages = 1; ; pages++) {
    const page = await read(pageToken);
    items.push(...page.items);
    pageToken = page.nextPageToken;
    if (pageToken === '') return { items, pages };
  }
}

const timeOf = (iso: string) => timestampOf(Date.parse(iso) * 1000);

test('positions are listed by instrument, page by page, those of the account only', async () => {
  const instruments = ['5', '33', '123', 'kraken:XBT', 'BTCUSDT'];
  await record(
    'many',
    instruments.map((instrument) => anExecutionRow({ instrument })),
  );
  const { items, pages } = await all(async (pageToken) => {
    const page = await served.client.listPositions({ account: 'many', pageToken, pageSize: 2 });
    return { ...page, items: page.positions };
  });
  const names = items.map(({ instrument }) => instrument);
  expect([names, pages]).toEqual([
    ['binance:BTCUSDT', 'external:123', 'external:33', 'external:5', 'kraken:XBT'],
    3,
  ]);
  expect((await served.client.listPositions({ account: 'nobody' })).positions).toEqual([]);
});

test('executions are listed in their order, (time, source, id) by bytes, or the other way round', async () => {
  const rows = ['10', '9', 'é', 'Z', 'a'].map((sourceId) => anExecutionRow({ sourceId }));
  await record('ordered', [anExecutionRow({ sourceId: '0', executedTime: secondsAfterNoon(1) })]);
  await record('ordered', rows);
  const listed = async (newestFirst: boolean) => {
    const { items } = await all(async (pageToken) => {
      const request = {
        account: 'ordered',
        instrument: '123',
        pageSize: 2,
        pageToken,
        newestFirst,
      };
      const page = await served.client.listExecutions(request);
      return { ...page, items: page.executions };
    });
    return items.map(({ sourceId }) => sourceId);
  };
  const order = ['10', '9', 'Z', 'a', 'é', '0'];
  expect(await listed(false)).toEqual(order);
  expect(await listed(true)).toEqual(order.toReversed());
});

test('a span of executions begins with its start and ends before its end', async () => {
  const rows = [0, 1, 2, 3].map((second) =>
    anExecutionRow({ sourceId: `s${second}`, executedTime: secondsAfterNoon(second) }),
  );
  await record('span', rows);
  const { executions } = await served.client.listExecutions({
    account: 'span',
    instrument: '123',
    startTime: secondsAfterNoon(1),
    endTime: secondsAfterNoon(3),
  });
  expect(executions.map(({ sourceId }) => sourceId)).toEqual(['s1', 's2']);
});

describe('a history', () => {
  /** Bought 5 on the leap day, sold 8 after an hour, bought 4 two days later. */
  beforeAll(() =>
    record('history', [
      anExecutionRow({ quantity: '5', executedTime: timeOf('2024-02-29T23:30:00.5Z') }),
      anExecutionRow({ quantity: '-8', executedTime: timeOf('2024-03-01T00:30:00Z') }),
      anExecutionRow({ quantity: '4', executedTime: timeOf('2024-03-03T12:00:00Z') }),
    ]),
  );

  async function historyOf(bin: Timeframe, some: object = {}, account = 'history') {
    const { items } = await all(async (pageToken) => {
      const request = { account, instrument: '123', bin, pageToken, ...some };
      const page = await served.client.listPositionHistory(request);
      return { ...page, items: page.bins };
    });
    return items;
  }

  /** When it begins, open/high/low/close, and volume. */
  const inShort = (bin: PositionBin) => {
    const { openQuantity, highQuantity, lowQuantity, closeQuantity, tradedVolume } = bin;
    const start = new Date(microsOf(bin.startTime ?? timestampOf(0)) / 1000).toISOString();
    const quantities = [openQuantity, highQuantity, lowQuantity, closeQuantity].join('/');
    return `${start.replace(':00.000Z', 'Z')} ${quantities} v${tradedVolume}`;
  };

  test.each<[string, Timeframe, readonly string[]]>([
    ['months', Timeframe.MO1, ['2024-02-01T00:00Z 0/5/0/5 v5', '2024-03-01T00:00Z 5/5/-3/1 v12']],
    ['weeks from Monday', Timeframe.W1, ['2024-02-26T00:00Z 0/5/-3/1 v17']],
    [
      'days, a leap day among them, of which empty ones carry the quantity on',
      Timeframe.D1,
      [
        '2024-02-29T00:00Z 0/5/0/5 v5',
        '2024-03-01T00:00Z 5/5/-3/-3 v8',
        '2024-03-02T00:00Z -3/-3/-3/-3 v0',
        '2024-03-03T00:00Z -3/1/-3/1 v4',
      ],
    ],
  ])('has %s', async (_, bin, expected) => {
    expect((await historyOf(bin)).map(inShort)).toEqual(expected);
  });

  test('is the same in pages of any size, and each bin begins where the one before ends', async () => {
    const whole = await historyOf(Timeframe.H1);
    // From 23:00 on the 29th of February to 12:00 on the 3rd of March, both included.
    expect(whole).toHaveLength(62);
    expect(await historyOf(Timeframe.H1, { pageSize: 7 })).toEqual(whole);
    for (const [index, bin] of whole.slice(1).entries()) {
      expect(bin.startTime).toEqual(whole[index]?.endTime);
      expect(bin.openQuantity).toBe(whole[index]?.closeQuantity);
    }
  });

  test('of seconds goes over three days, a thousand bins a page', async () => {
    const end = timeOf('2024-03-01T00:30:01Z');
    const seconds = await historyOf(Timeframe.S1, { pageSize: 1_000, endTime: end });
    expect(seconds).toHaveLength(3_601);
    expect(seconds.slice(0, 2).map(inShort)).toEqual([
      '2024-02-29T23:30Z 0/5/0/5 v5',
      '2024-02-29T23:30:01.000Z 5/5/5/5 v0',
    ]);
    expect(seconds.at(-1)?.closeQuantity).toBe('-3');
  });

  test('is cut to the bin that holds its start, and to bins that begin before its end', async () => {
    const span = {
      startTime: timeOf('2024-03-01T13:00:00Z'),
      endTime: timeOf('2024-03-03T00:00:00Z'),
    };
    expect((await historyOf(Timeframe.D1, span)).map(inShort)).toEqual([
      '2024-03-01T00:00Z 5/5/-3/-3 v8',
      '2024-03-02T00:00Z -3/-3/-3/-3 v0',
    ]);
    expect(await historyOf(Timeframe.D1, { endTime: timeOf('2024-01-01T00:00:00Z') })).toEqual([]);
    expect(await historyOf(Timeframe.D1, { startTime: timeOf('2024-05-01T00:00:00Z') })).toEqual(
      [],
    );
  });

  test('goes on behind the last execution where it is asked to, but not behind now', async () => {
    const account = 'going-on';
    const now = systemClock.now();
    const hour = 3_600_000_000;
    const executedTime = timestampOf(now - 3 * hour);
    await record(account, [anExecutionRow({ executedTime })]);
    const closes = async (span: object) =>
      (await historyOf(Timeframe.H1, span, account)).map(({ closeQuantity }) => closeQuantity);
    expect(await closes({})).toEqual(['1']);
    expect(await closes({ endTime: timestampOf(now - hour) })).toEqual(['1', '1', '1']);
    const all = await historyOf(Timeframe.H1, { endTime: timestampOf(now + 50 * hour) }, account);
    // The test may see an hour end.
    expect([4, 5]).toContain(all.length);
    expect(microsOf(all.at(-1)?.startTime ?? timestampOf(0))).toBeLessThanOrEqual(now + hour);
  });

  test('knows no summer time: every day has 24 hours', async () => {
    const [before, after] = ['2024-03-30T12:00:00Z', '2024-04-01T12:00:00Z'].map(timeOf);
    const rows = [before, after].map((executedTime) => anExecutionRow({ executedTime }));
    await record('summer', rows);
    expect((await historyOf(Timeframe.D1, {}, 'summer')).map(inShort)).toEqual([
      '2024-03-30T00:00Z 0/1/0/1 v1',
      '2024-03-31T00:00Z 1/1/1/1 v0',
      '2024-04-01T00:00Z 1/2/1/2 v1',
    ]);
  });

  test('of the first moments of 1970 has a week that begins with them', async () => {
    await record('first', [anExecutionRow({ executedTime: timestampOf(0) })]);
    expect((await historyOf(Timeframe.W1, {}, 'first')).map(inShort)).toEqual([
      '1970-01-01T00:00Z 0/1/0/1 v1',
    ]);
  });

  test('of nothing is not found', async () => {
    const error = ConnectError.from(await historyOf(Timeframe.D1, {}, 'nobody').catch(String));
    expect(error.rawMessage).toContain('no executions of external:123');
  });
});

describe('a page is refused:', () => {
  const token = (place: unknown) => Buffer.from(JSON.stringify(place)).toString('base64url');
  const history = { instrument: '123', bin: Timeframe.D1 };
  type Method = 'listPositions' | 'listExecutions' | 'listPositionHistory';
  test.each<[string, Method, object]>([
    ['a token that is none', 'listPositions', { pageToken: 'x' }],
    ['a token of another list', 'listPositions', { pageToken: token({ from: 1 }) }],
    ['a token with a NUL', 'listPositions', { pageToken: token({ instrument: '\0' }) }],
    ['a token that is too long', 'listPositions', { pageToken: 'x'.repeat(513) }],
    ['more than a thousand', 'listPositions', { pageSize: 1_001 }],
    ['fewer than none', 'listPositions', { pageSize: -1 }],
    ['a token that is none', 'listExecutions', { instrument: '123', pageToken: '{}' }],
    [
      'a token with a NUL',
      'listExecutions',
      { instrument: '123', pageToken: token({ time: 1, source: '\0', sourceId: '' }) },
    ],
    [
      'a token before 1970',
      'listExecutions',
      { instrument: '123', pageToken: token({ time: -1, source: 'a', sourceId: 'b' }) },
    ],
    ['no instrument', 'listExecutions', {}],
    ['a token that is none', 'listPositionHistory', { ...history, pageToken: 'null' }],
    ['a token before 1970', 'listPositionHistory', { ...history, pageToken: token({ from: -1 }) }],
    [
      'a token with a fraction',
      'listPositionHistory',
      { ...history, pageToken: token({ from: 1.5 }) },
    ],
    ['no bin', 'listPositionHistory', { instrument: '123' }],
    ...(['listExecutions', 'listPositionHistory'] as const).flatMap(
      (method): [string, Method, object][] => [
        [
          'a start after the end',
          method,
          { ...history, startTime: timestampOf(2), endTime: timestampOf(1) },
        ],
        ['a start that is no whole microsecond', method, { ...history, startTime: { nanos: 1 } }],
        ['an end that is no whole microsecond', method, { ...history, endTime: { nanos: 999 } }],
      ],
    ),
    ['a bin that is none', 'listPositionHistory', { instrument: '123', bin: 99 }],
  ])('%s (%s)', async (_, method, request) => {
    const answer = served.client[method](request).catch((error: unknown) => error);
    expect(ConnectError.from(await answer).code).toBe(Code.InvalidArgument);
  });
});
