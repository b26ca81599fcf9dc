import { describe, expect, test } from 'vitest';
import { parseDecimal } from '../../../src/base/decimal.ts';
import type { BadFrame } from '../../../src/exchange/bad-frame.ts';
import { coinbase } from '../../../src/exchange/coinbase.ts';
import type { ControlMessage } from '../../../src/exchange/exchange.ts';
import { noon } from '../../support/builders.ts';
import { aCoinbaseTicker, aHeartbeat, aMatch, isoTime } from '../../support/coinbase-frames.ts';

const receivedTime = noon + 2000;

function openDecoder() {
  const bad: BadFrame[] = [];
  const control: ControlMessage[] = [];
  const decoder = coinbase.createDecoder({
    exchange: 'coinbase',
    symbols: new Set(['BTCUSD']),
    onBadFrame: (frame) => bad.push(frame),
    onControl: (message) => control.push(message),
  });
  return {
    bad,
    control,
    counters: decoder.counters,
    decode: (frame: unknown) =>
      decoder.decode(typeof frame === 'string' ? frame : JSON.stringify(frame), receivedTime),
  };
}

const trade = {
  type: 'trade',
  instrument: 'coinbase:BTCUSD',
  id: 10,
  price: parseDecimal('400.23'),
  quantity: parseDecimal('5.23512'),
  takerSide: 'buy',
  exchangeTime: noon,
  eventTime: undefined,
  receivedTime,
  firstTradeId: 10,
  lastTradeId: 10,
};

describe('a frame becomes the event that it holds', () => {
  test.each([
    ['a match, whose side is the maker’s', aMatch(), trade],
    ['one whose maker bought', aMatch({ side: 'buy' }), { ...trade, takerSide: 'sell' }],
    ['one with new fields', aMatch({ extra: {} }), trade],
    [
      'one to the microsecond, and no finer',
      aMatch({ time: '2026-01-01T12:00:00.0000019Z' }),
      { ...trade, exchangeTime: noon + 1 },
    ],
    [
      'one at a whole second',
      aMatch({ time: '2026-01-01T12:00:00Z' }),
      { ...trade, exchangeTime: noon },
    ],
    [
      'one of a price with eighteen decimals',
      aMatch({ price: '0.000000000000000001' }),
      { ...trade, price: 1n },
    ],
    [
      'a ticker',
      aCoinbaseTicker(),
      {
        type: 'bookTicker',
        instrument: 'coinbase:BTCUSD',
        updateId: 37475248783,
        bidPrice: parseDecimal('1285.04'),
        bidQuantity: parseDecimal('0.46688654'),
        askPrice: parseDecimal('1285.27'),
        askQuantity: parseDecimal('1.5663704'),
        receivedTime,
      },
    ],
  ])('%s', (_name, frame, event) => {
    const { decode, counters } = openDecoder();
    expect([decode(frame), decode(frame)]).toEqual([event, event]);
    expect(counters).toEqual({ frames: 2, ignored: 0, bad: 0 });
  });
});

describe('what is not ours is ignored and counted', () => {
  test.each([
    ['the last match before the subscription', aMatch({ type: 'last_match' })],
    ['a type that is new', aMatch({ type: 'auction' })],
    ['another product', aMatch({ product_id: 'ETH-USD' })],
    ['the same base in another currency', aMatch({ product_id: 'BTC-USDT' })],
  ])('%s', (_name, frame) => {
    const { decode, counters, bad } = openDecoder();
    expect(decode(frame)).toBeUndefined();
    expect(counters).toEqual({ frames: 1, ignored: 1, bad: 0 });
    expect(bad).toEqual([]);
  });
});

describe('what it says of the connection is handed on', () => {
  test.each<readonly [string, unknown, ControlMessage]>([
    ['a heartbeat', aHeartbeat(20), { type: 'lastTradeId', symbol: 'BTCUSD', id: 20 }],
    [
      'what is subscribed',
      { type: 'subscriptions', channels: [{ name: 'matches', product_ids: ['BTC-USD', 'A-B'] }] },
      { type: 'inForce', streams: ['matches:BTC-USD', 'matches:A-B'], isAll: true },
    ],
    [
      'nothing at all',
      { type: 'subscriptions', channels: [] },
      { type: 'inForce', streams: [], isAll: true },
    ],
    [
      'a refusal',
      { type: 'error', message: 'Failed to subscribe', reason: 'A-B is not a valid product' },
      {
        type: 'refused',
        streams: undefined,
        error: 'Failed to subscribe: A-B is not a valid product',
      },
    ],
  ])('%s', (_name, frame, message) => {
    const { decode, control, counters } = openDecoder();
    expect(decode(frame)).toBeUndefined();
    expect(control).toEqual([message]);
    expect(counters).toEqual({ frames: 1, ignored: 0, bad: 0 });
  });
});

describe('a bad frame is quarantined by its cause, and the next one is read', () => {
  const day = 86_400_000_000;
  const matches: readonly (readonly [string, Record<string, unknown>, BadFrame['cause']])[] = [
    ['no price', { price: undefined }, 'field'],
    ['a price as a number', { price: 400.23 }, 'field'],
    ['a price of 0', { price: '0.00' }, 'field'],
    ['a negative price', { price: '-1' }, 'field'],
    ['a price of NaN', { price: 'NaN' }, 'field'],
    ['a price with an exponent', { price: '1e5' }, 'field'],
    ['a size of 0', { size: '0' }, 'field'],
    ['no id', { trade_id: undefined }, 'field'],
    ['an id as text', { trade_id: '10' }, 'field'],
    ['a broken id', { trade_id: 1.5 }, 'field'],
    ['a negative id', { trade_id: -1 }, 'field'],
    ['a side that is none', { side: 'BUY' }, 'field'],
    ['no product', { product_id: undefined }, 'field'],
    ['a product with a control character', { product_id: 'BTC-\u0000' }, 'field'],
    ['no time', { time: undefined }, 'field'],
    ['a time as a number', { time: noon }, 'field'],
    ['a time without a zone', { time: '2026-01-01T12:00:00' }, 'field'],
    ['a month that is none', { time: '2026-13-01T12:00:00Z' }, 'field'],
    ['a time of tomorrow', { time: isoTime(noon + day) }, 'time'],
    ['a time of yesterday', { time: isoTime(noon - day) }, 'time'],
    ['a time before the exchange', { time: '1970-01-01T00:00:00Z' }, 'time'],
    ['a type that is a number', { type: 5 }, 'field'],
  ];
  const good = JSON.stringify(aMatch());
  const cases = [
    ...matches.map(([name, fields, cause]) => [name, aMatch(fields), cause] as const),
    ['a ticker without a bid', aCoinbaseTicker({ best_bid: undefined }), 'field'],
    ['a ticker with a negative size', aCoinbaseTicker({ best_ask_size: '-1' }), 'field'],
    ['a heartbeat without an id', { ...aHeartbeat(1), last_trade_id: null }, 'field'],
    ['half a frame', good.slice(0, -1), 'unreadable'],
    ['nothing', '', 'unreadable'],
    ['a list', '[]', 'unreadable'],
    ['a number', '5', 'unreadable'],
  ] as const;
  test.each(cases)('%s', (_name, frame, cause) => {
    const { decode, bad, counters } = openDecoder();
    expect(decode(frame)).toBeUndefined();
    expect(decode(good)).toEqual(trade);
    expect(bad.map((frame) => frame.cause)).toEqual([cause]);
    expect(counters).toEqual({ frames: 2, ignored: 0, bad: 1 });
  });
});
