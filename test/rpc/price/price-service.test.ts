import { Code } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import type {
  GetPriceStatisticsResponse,
  StreamLatestPricesResponse,
} from '../../../gen/tradewind/market/v1/price_service_pb.ts';
import { microsOf } from '../../../src/rpc/messages.ts';
import { aTrade } from '../../support/builders.ts';
import { at } from '../../support/market-tape.ts';
import { openServedPrices } from '../../support/served-prices.ts';
import type { ServedPrices } from '../../support/served-prices.ts';

const [binance, coinbase] = ['binance:BTCUSDT', 'coinbase:BTCUSDT'];
const instruments = [binance, coinbase, 'binance:ETHUSDT'];
const seconds = (count: number) => ({ seconds: BigInt(count), nanos: 0 });

/** Two exchanges: 10, 20, 60 on binance; 30 (twice) and 5 on coinbase; all in the running minute. */
async function openTwoExchanges(): Promise<ServedPrices> {
  const served = await openServedPrices({ instruments });
  const { tape, clock } = served;
  tape.opened(0, [binance, 'binance:ETHUSDT'], '1').opened(0, [coinbase], '2');
  tape.trade(100, 1, '10', { quantity: '1' }).trade(100, 1, '30', { instrument: coinbase });
  tape.trade(3_000, 2, '20', { quantity: '3' });
  tape.trade(3_500, 2, '30', { instrument: coinbase, firstTradeId: 2, lastTradeId: 3 });
  tape.trade(4_100, 3, '60', { quantity: '2' });
  tape.trade(4_200, 4, '5', { instrument: coinbase, quantity: '4' });
  tape.ticker(4_300).ticker(4_300, coinbase);
  clock.moveTo(at(4_400));
  return served;
}

function inShort(response: GetPriceStatisticsResponse): string {
  const { exchange, price = '-', statistics } = response;
  return `${exchange} ${price} n=${statistics?.tradeCount ?? '?'}`;
}

test('the latest price over all exchanges is that of the latest trade', async () => {
  await using served = await openTwoExchanges();
  const latest = await served.client.getLatestPrice({ symbol: 'BTCUSDT' });
  expect(latest).toMatchObject({
    exchange: 'coinbase',
    symbol: 'BTCUSDT',
    price: '5',
    tradeId: 4n,
    cached: false,
  });
  expect(latest.timestamp && microsOf(latest.timestamp)).toBe(at(4_200));
  const { price } = await served.client.getLatestPrice({ symbol: 'btcusdt', exchange: 'binance' });
  expect(price).toBe('60');
});

test.each<[statistic: string, exchange: string, seconds: number, expected: string]>([
  ['', '', 5, 'coinbase 5 n=7'],
  ['last', 'binance', 5, 'binance 60 n=3'],
  ['first', 'binance', 2, 'binance 20 n=2'],
  ['highest', '', 5, 'binance 60 n=7'],
  ['lowest', '', 5, 'coinbase 5 n=7'],
  ['highest', 'coinbase', 5, 'coinbase 30 n=4'],
  ['lowest', 'binance', 2, 'binance 20 n=2'],
  // (10 + 20 + 60 + 30 + 30 + 30 + 5) ÷ 7: no average of averages.
  ['average', '', 5, 'binance,coinbase 26.428571428571428571 n=7'],
  ['average', 'binance', 5, 'binance 30 n=3'],
  // (10 + 60 + 120 + 30 + 30 + 20) ÷ 12.
  ['volume_weighted_average', '', 5, 'binance,coinbase 22.5 n=7'],
])('%s of %s over %i s', async (statistic, exchange, count, expected) => {
  await using served = await openTwoExchanges();
  const request = { symbol: 'BTCUSDT', statistic, exchange, period: seconds(count) };
  expect(inShort(await served.client.getPriceStatistics(request))).toBe(expected);
});

test('the answer has the window, what of it is covered, and until when it is', async () => {
  await using served = await openTwoExchanges();
  const { statistics, timestamp } = await served.client.getPriceStatistics({ symbol: 'BTCUSDT' });
  const { windowStart, windowEnd, from, to, complete, reason, period } = statistics ?? {};
  const times = [windowStart, windowEnd, from, to, timestamp].map(
    (time) => time && (microsOf(time) - at(0)) / 1_000_000,
  );
  expect(times).toEqual([-55, 5, 0, 5, 5]);
  expect(period?.seconds).toBe(60n);
  expect({ complete, reason }).toEqual({
    complete: false,
    reason: 'binance, coinbase: not all is known before 2026-01-01T12:00:00.000Z',
  });
});

test('a symbol that was not traded has no price, which is an answer', async () => {
  await using served = await openTwoExchanges();
  const answer = await served.client.getPriceStatistics({
    symbol: 'ETHUSDT',
    statistic: 'highest',
  });
  expect(inShort(answer)).toBe('binance - n=0');
});

test('every symbol is listed on each exchange and over all of them, page by page', async () => {
  await using served = await openTwoExchanges();
  const first = await served.client.listPriceStatistics({ period: seconds(5), pageSize: 1 });
  const [listed] = first.symbols;
  expect(listed?.overall).toMatchObject({ exchange: '', tradeCount: 7n, highest: '60' });
  expect(listed?.exchanges.map(({ exchange, last }) => `${exchange} ${last}`)).toEqual([
    'binance 60',
    'coinbase 5',
  ]);
  const second = await served.client.listPriceStatistics({
    period: seconds(5),
    pageSize: 1,
    pageToken: first.nextPageToken,
  });
  expect(second.symbols.map(({ symbol }) => symbol)).toEqual(['ETHUSDT']);
  expect(second.nextPageToken).toBe('');
});

test.each(['zzz', 'BTCUSDT', 'cHJpY2VzOg', 'cHJpY2VzOkJUQ1VTRFQ='])(
  'the page token %s, which no answer has told, is refused',
  async (pageToken) => {
    await using served = await openServedPrices({ instruments });
    await expect(served.client.listPriceStatistics({ pageToken })).rejects.toMatchObject({
      code: Code.InvalidArgument,
      rawMessage: 'page_token: expected the next_page_token of an answer',
    });
  },
);

test('an exchange without quantities leaves out what needs them, and says so', async () => {
  await using served = await openServedPrices({ instruments: [binance, coinbase] });
  const { tape, clock, client } = served;
  tape.opened(0, [binance], '1').opened(0, [coinbase], '2').trade(100, 1, '10');
  tape.trade(200, 1, '20', { instrument: coinbase, quantity: '0' }).ticker(300);
  clock.moveTo(at(400));
  const { statistics } = await client.getPriceStatistics({ symbol: 'BTCUSDT', period: seconds(1) });
  expect(statistics).toMatchObject({ average: '15', highest: '20', tradeCount: 2n });
  expect(statistics?.volumeWeightedAverage).toBeUndefined();
  expect([statistics?.volume, statistics?.quoteVolume]).toEqual([undefined, undefined]);
  await expect(
    client.getPriceStatistics({
      symbol: 'BTCUSDT',
      period: seconds(1),
      statistic: 'volume_weighted_average',
    }),
  ).rejects.toMatchObject({
    code: Code.FailedPrecondition,
    // Nothing of what else is lacking: the first second of the observation is not whole.
    rawMessage:
      'statistic: volume_weighted_average: coinbase: volumes are not known, for prices come without quantities',
  });
  const known = await client.getPriceStatistics({ symbol: binance, period: seconds(1) });
  expect(known.statistics).toMatchObject({ volume: '1', quoteVolume: '10' });
});

test.each<[what: string, request: object, code: Code, message: string | RegExp]>([
  [
    'an unknown symbol',
    { symbol: 'DOGE' },
    Code.NotFound,
    'symbol: "DOGE" is not known; known are BTCUSDT, ETHUSDT',
  ],
  [
    'an unknown exchange',
    { symbol: 'BTCUSDT', exchange: 'nyse' },
    Code.NotFound,
    'exchange: "nyse" is not known; known are binance, coinbase',
  ],
  [
    'a symbol that is elsewhere',
    { symbol: 'ETHUSDT', exchange: 'coinbase' },
    Code.NotFound,
    'symbol: "ETHUSDT" is not known on coinbase; known on coinbase are BTCUSDT',
  ],
  [
    'two exchanges at once',
    { symbol: 'binance:BTCUSDT', exchange: 'coinbase' },
    Code.InvalidArgument,
    /^exchange: expected binance/u,
  ],
  [
    'an unknown statistic',
    { symbol: 'BTCUSDT', statistic: 'median' },
    Code.InvalidArgument,
    /average/u,
  ],
])('%s is refused', async (_what, request, code, rawMessage) => {
  await using served = await openServedPrices({ instruments });
  await expect(served.client.getPriceStatistics({ symbol: '', ...request })).rejects.toMatchObject({
    code,
    rawMessage: typeof rawMessage === 'string' ? rawMessage : expect.stringMatching(rawMessage),
  });
});

test.each<[seconds: number, nanos: number]>([
  [0, 0],
  [-1, 0],
  [0, 500_000_000],
  [1, 1],
  [2_592_001, 0],
  [604_801, 0],
  [315_576_000_000, 0],
])('a period of %i s and %i ns is refused, and told what is allowed', async (count, nanos) => {
  await using served = await openServedPrices({ instruments });
  const request = { symbol: 'BTCUSDT', period: { seconds: BigInt(count), nanos } };
  const refusal = {
    code: Code.InvalidArgument,
    rawMessage: expect.stringMatching(
      /^period: expected whole seconds from 1s to 30d, beyond 7d whole minutes, got -?\d/u,
    ),
  };
  await expect(served.client.getPriceStatistics(request)).rejects.toMatchObject(refusal);
  await expect(served.client.listPriceStatistics(request)).rejects.toMatchObject(refusal);
});

test('in TEST mode the name of an exchange means its simulated twin', async () => {
  await using served = await openServedPrices({ instruments: ['sim-binance:BTCUSDT'] });
  served.tape.opened(0, ['sim-binance:BTCUSDT']);
  served.tape.trade(100, 1, '10', { instrument: 'sim-binance:BTCUSDT' });
  const byName = await served.client.getLatestPrice({ symbol: 'BTCUSDT', exchange: 'binance' });
  const bySymbol = await served.client.getLatestPrice({ symbol: 'binance:BTCUSDT' });
  expect([byName.exchange, bySymbol.exchange]).toEqual(['sim-binance', 'sim-binance']);
});

test('a server that does not hear of a symbol answers what another one shares', async () => {
  const shared = [
    aTrade({ instrument: coinbase, price: '7', exchangeTime: at(900) }),
    aTrade({ instrument: binance, price: '8', exchangeTime: at(800) }),
  ];
  await using served = await openServedPrices({
    instruments,
    shared: {
      latest: (names) =>
        Promise.resolve(shared.filter(({ instrument }) => names.includes(instrument))),
    },
  });
  const asked = { symbol: 'BTCUSDT' };
  expect(await served.client.getLatestPrice(asked)).toMatchObject({ price: '7', cached: true });
  await expect(served.client.getLatestPrice({ symbol: 'ETHUSDT' })).rejects.toMatchObject({
    code: Code.Unavailable,
    rawMessage: 'No price is known yet of binance:ETHUSDT',
  });
  const { tape, clock } = served;
  tape.opened(0, [binance, coinbase]);
  tape.trade(90, 1, '6', { instrument: coinbase }).trade(100, 1, '9');
  expect(await served.client.getLatestPrice(asked)).toMatchObject({ price: '9', cached: false });
  // Connected still, but nothing has come of it for long: another one may well know better.
  clock.moveTo(at(11_000));
  expect(await served.client.getLatestPrice(asked)).toMatchObject({ price: '7', cached: true });
  tape.ticker(11_000);
  expect(await served.client.getLatestPrice(asked)).toMatchObject({ price: '9', cached: false });
  tape.lost(11_000);
  expect(await served.client.getLatestPrice(asked)).toMatchObject({ price: '7', cached: true });
});

test('a stream tells what the server hears itself, not what another one shares', async () => {
  const latest = () => Promise.resolve([aTrade({ instrument: binance, exchangeTime: at(1) })]);
  await using served = await openServedPrices({ instruments: [binance], shared: { latest } });
  const iterator = served.client.streamLatestPrices({})[Symbol.asyncIterator]();
  expect((await iterator.next()).value).toMatchObject({ event: { case: 'snapshotEnd' } });
  await iterator.return?.();
});

test('a stream begins with all latest prices, and tells each change at most ten times a second', async () => {
  await using served = await openTwoExchanges();
  const stream = served.client.streamLatestPrices({ symbols: ['BTCUSDT'] });
  const iterator = stream[Symbol.asyncIterator]();
  const next = async () => {
    const { value } = await iterator.next();
    const { event } = value ?? { event: { case: 'end', value: undefined } };
    return event.case === 'latestPrice'
      ? `${event.value.exchange} ${event.value.price}`
      : (event.case ?? 'nothing');
  };
  expect([await next(), await next(), await next()]).toEqual([
    'binance 60',
    'coinbase 5',
    'snapshotEnd',
  ]);
  const { tape, clock } = served;
  for (let id = 4; id < 20; id++) tape.trade(4_400 + id, id, String(id));
  tape.trade(4_500, 1, '1', { instrument: 'binance:ETHUSDT' });
  await clock.advance(100);
  expect(await next()).toBe('binance 19');
  tape.trade(4_600, 5, '6', { instrument: coinbase });
  await clock.advance(100);
  expect(await next()).toBe('coinbase 6');
  await iterator.return?.();
});

test('a stream goes over to the instruments of another mode, and back', async () => {
  await using served = await openServedPrices({ instruments });
  const { tape, clock, client, follow } = served;
  const simulated = ['sim-binance:BTCUSDT', 'sim-exchange1:BTCUSDT'];
  tape.opened(0, [binance], '1').trade(100, 1, '10');
  const stream = client.streamLatestPrices({ symbols: ['BTCUSDT'], exchange: 'binance' });
  const iterator = stream[Symbol.asyncIterator]();
  const next = async () => {
    const event: StreamLatestPricesResponse['event'] | undefined = (await iterator.next()).value
      ?.event;
    if (event?.case === 'instrumentsChanged') return event.value.instruments;
    return event?.case === 'latestPrice'
      ? `${event.value.exchange} ${event.value.price}`
      : event?.case;
  };
  expect([await next(), await next()]).toEqual(['binance 10', 'snapshotEnd']);
  const trade = (ms: number, id: number, price: string, instrument: string) =>
    tape.trade(ms, id, price, { instrument });
  tape.opened(200, simulated, '2');
  trade(300, 7, '70', 'sim-binance:BTCUSDT');
  follow(simulated);
  await clock.advance(100);
  expect(await next()).toEqual(['sim-binance:BTCUSDT']);
  expect(await next()).toBe('sim-binance 70');
  trade(400, 2, '11', binance);
  trade(400, 8, '80', 'sim-exchange1:BTCUSDT');
  trade(400, 9, '71', 'sim-binance:BTCUSDT');
  await clock.advance(100);
  expect(await next()).toBe('sim-binance 71');
  // What is not known in a mode is sent again when it is.
  follow(['sim-exchange1:BTCUSDT']);
  await clock.advance(100);
  expect(await next()).toEqual([]);
  follow(instruments);
  await clock.advance(100);
  expect([await next(), await next()]).toEqual([[binance], 'binance 11']);
  trade(500, 3, '12', binance);
  await clock.advance(100);
  expect(await next()).toBe('binance 12');
  await iterator.return?.();
});
