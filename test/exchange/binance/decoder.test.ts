import { describe, expect, test } from 'vitest';
import { parseDecimal } from '../../../src/base/decimal.ts';
import { createBinanceDecoder } from '../../../src/exchange/binance.ts';
import type { BadFrame } from '../../../src/exchange/bad-frame.ts';
import type { ControlMessage, DecoderOptions } from '../../../src/exchange/exchange.ts';
import { aBookTickerPayload, aFrame, anAggTradePayload } from '../../support/binance-frames.ts';
import { noon } from '../../support/builders.ts';

const receivedTime = noon + 2000;

function openDecoder(options: Partial<DecoderOptions> = {}) {
  const bad: BadFrame[] = [];
  const control: ControlMessage[] = [];
  const decoder = createBinanceDecoder({
    exchange: 'sim-binance',
    onBadFrame: (frame) => bad.push(frame),
    onControl: (message) => control.push(message),
    ...options,
  });
  return {
    bad,
    control,
    counters: decoder.counters,
    decode: (frame: string) => decoder.decode(frame, receivedTime),
  };
}

const trade = {
  type: 'trade',
  instrument: 'sim-binance:BTCUSDT',
  id: 12345,
  price: parseDecimal('61837.63'),
  quantity: parseDecimal('0.02'),
  takerSide: 'sell',
  exchangeTime: noon,
  eventTime: noon + 1000,
  receivedTime,
  firstTradeId: 100,
  lastTradeId: 105,
};

const ticker = {
  type: 'bookTicker',
  instrument: 'sim-binance:BTCUSDT',
  updateId: 400900217,
  bidPrice: parseDecimal('25.3519'),
  bidQuantity: parseDecimal('31.21'),
  askPrice: parseDecimal('25.3652'),
  askQuantity: parseDecimal('40.66'),
  receivedTime,
};

const chinese = '这是测试币456';
const single = {
  e: 'trade',
  E: noon / 1000 + 1,
  s: 'BTCUSDT',
  t: 7,
  p: '2.5',
  q: '1',
  T: noon / 1000,
  m: false,
  M: true,
};

describe('a frame becomes the event that it holds', () => {
  const cases: readonly (readonly [name: string, frame: string, event: object])[] = [
    ['an aggregate trade', aFrame(anAggTradePayload()), trade],
    [
      'one whose buyer took',
      aFrame(anAggTradePayload({ m: false })),
      { ...trade, takerSide: 'buy' },
    ],
    ['a bare aggregate trade', JSON.stringify(anAggTradePayload()), trade],
    ['one with new fields', aFrame(anAggTradePayload({ X: 'NEW', extra: {} })), trade],
    [
      'one with spaces',
      JSON.stringify({ stream: 'btcusdt@aggTrade', data: anAggTradePayload() }, undefined, 1),
      trade,
    ],
    [
      'one of an instrument that is not ASCII',
      aFrame(anAggTradePayload({ s: chinese })),
      { ...trade, instrument: `sim-binance:${chinese}` },
    ],
    [
      'a price of 1e-8',
      aFrame(anAggTradePayload({ p: '0.00000001' })),
      { ...trade, price: 10n ** 10n },
    ],
    [
      'the longest price',
      aFrame(anAggTradePayload({ p: '123456789012345.123456789012345678' })),
      { ...trade, price: 123456789012345123456789012345678n },
    ],
    [
      'a single trade',
      aFrame(single),
      {
        ...trade,
        id: 7,
        firstTradeId: 7,
        lastTradeId: 7,
        price: parseDecimal('2.5'),
        quantity: parseDecimal('1'),
        takerSide: 'buy',
      },
    ],
    ['a book ticker', aFrame(aBookTickerPayload()), ticker],
    ['a bare book ticker', JSON.stringify(aBookTickerPayload()), ticker],
    [
      'a book without bids',
      aFrame(aBookTickerPayload({ b: '0.00000000', B: '0.00000000' })),
      { ...ticker, bidPrice: 0n, bidQuantity: 0n },
    ],
  ];
  test.each(cases)('%s', (_name, frame, event) => {
    const { decode, counters } = openDecoder();
    // The first frame of a stream is read the careful way, those after it by the scanner.
    expect([decode(frame), decode(frame)]).toEqual([event, event]);
    expect(counters).toEqual({ frames: 2, ignored: 0, bad: 0 });
  });
});

test('times in microseconds are taken as they are where so configured', () => {
  const { decode } = openDecoder({ timeUnit: 'microsecond' });
  const frame = aFrame(anAggTradePayload({ E: noon + 1, T: noon }));
  for (const event of [decode(frame), decode(frame)]) {
    expect(event).toMatchObject({ exchangeTime: noon, eventTime: noon + 1 });
  }
});

describe('what is not ours is ignored and counted', () => {
  test.each([
    [
      'an unknown event',
      '{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":1,"u":2,"b":[],"a":[]}}',
    ],
    [
      'a block trade',
      '{"stream":"btcusdt@blockTrade","data":{"e":"blockTrade","s":"BTCUSDT","t":1}}',
    ],
    ['a list', '{"stream":"!miniTicker@arr","data":[{"e":"24hrMiniTicker"}]}'],
    ['a depth snapshot', '{"lastUpdateId":1,"bids":[],"asks":[]}'],
    ['an empty object', '{}'],
    ['another symbol', aFrame(anAggTradePayload({ s: 'ETHUSDT' }))],
  ])('%s', (_name, frame) => {
    const { decode, counters, bad } = openDecoder({ symbols: new Set(['BTCUSDT']) });
    expect(decode(frame)).toBeUndefined();
    expect(counters).toEqual({ frames: 1, ignored: 1, bad: 0 });
    expect(bad).toEqual([]);
  });
});

describe('what the exchange says of the connection is handed on', () => {
  test.each<readonly [string, string, ControlMessage]>([
    ['a shutdown', '{"e":"serverShutdown","E":1770123456789}', { type: 'shutdown' }],
    [
      'a combined shutdown',
      '{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1770123456789}}',
      { type: 'shutdown' },
    ],
    ['an answer', '{"result":null,"id":1}', { type: 'response', id: 1, error: undefined }],
    [
      'an error',
      '{"code":2,"msg":"Invalid request: x"}',
      { type: 'response', id: undefined, error: 'Invalid request: x (code 2)' },
    ],
    [
      'an error with an id',
      '{"error":{"code":2,"msg":"No"},"id":"a"}',
      { type: 'response', id: 'a', error: 'No (code 2)' },
    ],
  ])('%s', (_name, frame, message) => {
    const { decode, control, counters } = openDecoder();
    expect(decode(frame)).toBeUndefined();
    expect(control).toEqual([message]);
    expect(counters.bad).toBe(0);
  });
});

describe('a bad frame is quarantined by its cause, and the next one is read', () => {
  const day = 86_400_000;
  const ms = noon / 1000;
  const trades: readonly (readonly [string, Record<string, unknown>, BadFrame['cause']])[] = [
    ['no price', { p: undefined }, 'field'],
    ['a null price', { p: null }, 'field'],
    ['a price as a number', { p: 61837.63 }, 'field'],
    ['an empty price', { p: '' }, 'field'],
    ['a price of 0', { p: '0.00000000' }, 'field'],
    ['a negative price', { p: '-1' }, 'field'],
    ['a price with an exponent', { p: '1e5' }, 'field'],
    ['a price of NaN', { p: 'NaN' }, 'field'],
    ['a price with 19 decimals', { p: '0.1234567890123456789' }, 'field'],
    ['a quantity of 0', { q: '0.00000000' }, 'field'],
    ['no event name', { e: undefined }, 'field'],
    ['an event name that is a number', { e: 5 }, 'field'],
    ['no symbol', { s: undefined }, 'field'],
    ['an empty symbol', { s: '' }, 'field'],
    ['a symbol with NUL', { s: 'BTC\u0000' }, 'field'],
    ['a symbol with a quote', { s: 'BTC"' }, 'field'],
    ['half a surrogate', { s: 'BTC\uD800' }, 'field'],
    ['a symbol of 65 bytes', { s: 'X'.repeat(65) }, 'field'],
    ['no id', { a: undefined }, 'field'],
    ['an id as text', { a: '1' }, 'field'],
    ['a negative id', { a: -1 }, 'field'],
    ['a broken id', { a: 1.5 }, 'field'],
    ['an id beyond 2^53', { a: 2 ** 53 }, 'field'],
    ['a range of trades that runs backwards', { f: 106 }, 'field'],
    ['an endless range of trades', { l: 2 ** 52 }, 'field'],
    ['a side that is text', { m: 'true' }, 'field'],
    ['no side', { m: undefined }, 'field'],
    ['no trade time', { T: undefined }, 'field'],
    ['a negative trade time', { T: -ms }, 'field'],
    ['a trade time of 0', { T: 0 }, 'time'],
    ['a trade time of an hour before its event', { T: ms - 3_600_000 }, 'time'],
    ['a trade time of tomorrow', { T: ms + day }, 'time'],
    ['a trade time in microseconds', { T: noon }, 'time'],
    ['an event time in microseconds', { E: noon }, 'time'],
    ['a trade time before the exchange', { T: Date.UTC(2016, 0) }, 'time'],
  ];
  const good = aFrame(anAggTradePayload());
  const cases = [
    ...trades.map(([name, fields, cause]) => {
      const payload = anAggTradePayload(fields);
      return [name, JSON.stringify({ stream: 'btcusdt@aggTrade', data: payload }), cause] as const;
    }),
    ['a ticker with a null price', aFrame(aBookTickerPayload({ b: null })), 'field'],
    ['a ticker without a quantity', aFrame(aBookTickerPayload({ A: undefined })), 'field'],
    ['a ticker without an id', aFrame(aBookTickerPayload({ u: undefined })), 'field'],
    ['a ticker with a negative price', aFrame(aBookTickerPayload({ a: '-1' })), 'field'],
    ['no data', '{"stream":"btcusdt@aggTrade","data":null}', 'field'],
    ['a stream that is a number', '{"stream":1,"data":{}}', 'field'],
    ['half a frame', good.slice(0, -1), 'unreadable'],
    ['a frame and something', `${good}x`, 'unreadable'],
    ['two frames in one', good + good, 'unreadable'],
    ['a byte order mark', `\uFEFF${good}`, 'unreadable'],
    ['nothing', '', 'unreadable'],
    ['an id with a leading zero', good.replace('"a":12345', '"a":012345'), 'unreadable'],
    ['a number', '5', 'unreadable'],
    ['a list', '[]', 'unreadable'],
    ['null', 'null', 'unreadable'],
  ] as const;
  test.each(cases)('%s', (_name, frame, cause) => {
    const { decode, bad, counters } = openDecoder();
    // Once as a stream's first frame, once where the stream is known and the scanner goes first.
    expect(decode(frame)).toBeUndefined();
    expect(decode(good)).toEqual(trade);
    expect(decode(frame)).toBeUndefined();
    expect(decode(good)).toEqual(trade);
    expect(bad.map((frame) => frame.cause)).toEqual([cause, cause]);
    expect(counters).toEqual({ frames: 4, ignored: 0, bad: 2 });
  });
});

test('of a large bad frame only the beginning is kept', () => {
  const { decode, bad } = openDecoder();
  decode('x'.repeat(1_000_000));
  expect(bad[0]?.sample).toHaveLength(512);
});

test.each([1000, 5000, 100_000])(
  'a field that is nested %i deep is told, and ends nothing',
  (depth) => {
    const { bad, decode } = openDecoder();
    const nested = '['.repeat(depth) + ']'.repeat(depth);
    const frame = JSON.stringify(anAggTradePayload({ p: 'NESTED' })).replace('"NESTED"', nested);
    expect(decode(frame)).toBeUndefined();
    expect(bad).toMatchObject([{ cause: 'field', problem: /^p: expected a decimal number/ }]);
  },
);
