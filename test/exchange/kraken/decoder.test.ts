import { describe, expect, test } from 'vitest';
import { parseDecimal } from '../../../src/base/decimal.ts';
import type { BadFrame } from '../../../src/exchange/bad-frame.ts';
import type { ControlMessage } from '../../../src/exchange/exchange.ts';
import { kraken } from '../../../src/exchange/kraken.ts';
import { noon } from '../../support/builders.ts';
import { isoTime } from '../../support/coinbase-frames.ts';
import { aKrakenTrade, aTickerFrame, aTradeFrame } from '../../support/kraken-frames.ts';
import type { KrakenFields } from '../../support/kraken-frames.ts';

const receivedTime = noon + 2000;

function openDecoder() {
  const bad: BadFrame[] = [];
  const control: ControlMessage[] = [];
  const decoder = kraken.createDecoder({
    exchange: 'kraken',
    symbols: new Set(['BTCUSD']),
    onBadFrame: (frame) => bad.push(frame),
    onControl: (message) => control.push(message),
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
  instrument: 'kraken:BTCUSD',
  id: 10,
  price: parseDecimal('105944.2'),
  quantity: parseDecimal('0.00027625'),
  takerSide: 'buy',
  exchangeTime: noon,
  eventTime: undefined,
  receivedTime,
  firstTradeId: 10,
  lastTradeId: 10,
};

const ticker = {
  type: 'bookTicker',
  instrument: 'kraken:BTCUSD',
  updateId: noon,
  bidPrice: parseDecimal('0.10025'),
  bidQuantity: parseDecimal('740'),
  askPrice: parseDecimal('0.10036'),
  askQuantity: parseDecimal('1361.44813783'),
  receivedTime,
};

const timestamp = `"${isoTime(noon)}"`;

describe('a frame becomes the events that it holds', () => {
  test.each<readonly [string, string, readonly object[]]>([
    ['a trade', aTradeFrame(aKrakenTrade()), [trade]],
    [
      'one whose taker sold',
      aTradeFrame(aKrakenTrade({ side: '"sell"' })),
      [{ ...trade, takerSide: 'sell' }],
    ],
    [
      'two trades',
      aTradeFrame(aKrakenTrade(), aKrakenTrade({ trade_id: '11' })),
      [trade, { ...trade, id: 11, firstTradeId: 11, lastTradeId: 11 }],
    ],
    [
      'one of ours among others',
      aTradeFrame(aKrakenTrade({ symbol: '"ETH/USD"' }), aKrakenTrade()),
      [trade],
    ],
    ['a ticker', aTickerFrame({ timestamp }), [ticker]],
    ['a ticker without a time', aTickerFrame(), [{ ...ticker, updateId: receivedTime }]],
    [
      'a book without bids',
      aTickerFrame({ timestamp, bid: '0', bid_qty: '0.0' }),
      [{ ...ticker, bidPrice: 0n, bidQuantity: 0n }],
    ],
  ])('%s', (_name, frame, events) => {
    const { decode, bad } = openDecoder();
    expect(decode(frame)).toEqual(events);
    expect(bad).toEqual([]);
  });
});

describe('a number is read digit by digit', () => {
  test.each([
    // What Number() makes of it is beside it.
    ['0.00027625', '0.00027625'],
    ['1e-7', '0.0000001'],
    ['1E-18', '0.000000000000000001'],
    ['1.50e-17', '0.000000000000000015'],
    ['2.5e+3', '2500'],
    ['105944.20', '105944.2'],
    ['0.1', '0.1'],
    ['123456789012345.123456789012345678', '123456789012345.123456789012345678'],
    ['9007199254740.993', '9007199254740.993'],
    ['0.100000000000000005', '0.100000000000000005'],
  ])('%s', (written, read) => {
    const { decode } = openDecoder();
    const frame = aTradeFrame(aKrakenTrade({ price: written }));
    expect(decode(frame)).toMatchObject([{ price: parseDecimal(read) }]);
  });
});

test('update ids of tickers rise, also where two have the same time', () => {
  const { decode } = openDecoder();
  const times = [0, 5, 5, 5, 7, 100].map((micros) => `"${isoTime(noon + micros)}"`);
  const ids = times.map((timestamp) => decode(aTickerFrame({ timestamp })));
  expect(ids).toMatchObject([0, 5, 6, 7, 8, 100].map((micros) => [{ updateId: noon + micros }]));
});

describe('what is not ours is ignored and counted', () => {
  test.each([
    ['trades from before', aTradeFrame(aKrakenTrade()).replace('update', 'snapshot')],
    ['the status', '{"channel":"status","type":"update","data":[{"system":"online"}]}'],
    ['a channel that is new', '{"channel":"moon","type":"update","data":[]}'],
    ['a pong', '{"method":"pong","req_id":1}'],
    ['an empty object', '{}'],
    ['another pair', aTradeFrame(aKrakenTrade({ symbol: '"ETH/USD"' }))],
    ['the same base in another currency', aTradeFrame(aKrakenTrade({ symbol: '"BTC/USDT"' }))],
  ])('%s', (_name, frame) => {
    const { decode, counters, bad } = openDecoder();
    expect(decode(frame)).toBeUndefined();
    expect(counters).toEqual({ frames: 1, ignored: 1, bad: 0 });
    expect(bad).toEqual([]);
  });
});

describe('what it says of the connection is handed on', () => {
  test.each<readonly [string, string, readonly ControlMessage[]]>([
    ['a heartbeat is only a sign of life', '{"channel":"heartbeat"}', []],
    [
      'a confirmation',
      '{"method":"subscribe","result":{"channel":"trade","symbol":"BTC/USD"},"success":true}',
      [{ type: 'inForce', streams: ['trade:BTC/USD'], isAll: false }],
    ],
    [
      'the end of a subscription',
      '{"method":"unsubscribe","result":{"channel":"trade","symbol":"BTC/USD"},"success":true}',
      [{ type: 'ended', streams: ['trade:BTC/USD'] }],
    ],
    [
      'a refusal',
      '{"error":"Currency pair not supported X/Y","method":"subscribe","success":false,"symbol":"X/Y"}',
      [
        {
          type: 'refused',
          streams: ['trade:X/Y', 'ticker:X/Y'],
          error: 'Currency pair not supported X/Y',
        },
      ],
    ],
    [
      'a refusal of nothing in particular',
      '{"error":"Malformed request","success":false}',
      [{ type: 'refused', streams: undefined, error: 'Malformed request' }],
    ],
  ])('%s', (_name, frame, messages) => {
    const { decode, control, counters } = openDecoder();
    expect(decode(frame)).toBeUndefined();
    expect(control).toEqual(messages);
    expect(counters).toEqual({ frames: 1, ignored: 0, bad: 0 });
  });
});

describe('what is bad is quarantined by its cause, and what stands beside it is read', () => {
  const day = 86_400_000_000;
  const trades: readonly (readonly [string, KrakenFields, BadFrame['cause']])[] = [
    ['no price', { price: undefined }, 'field'],
    ['a null price', { price: 'null' }, 'field'],
    ['a price as text', { price: '"105944.20"' }, 'field'],
    ['a price of 0', { price: '0.0' }, 'field'],
    ['a price of -0', { price: '-0' }, 'field'],
    ['a negative price', { price: '-1.5' }, 'field'],
    ['a price that is endless', { price: '1e400' }, 'field'],
    ['a price that is nearly nothing', { price: '1e-400' }, 'field'],
    ['a price of 16 digits', { price: '1234567890123456' }, 'field'],
    ['a price with 19 decimals', { price: '0.1234567890123456789' }, 'field'],
    ['a price of 1e15', { price: '1e15' }, 'field'],
    ['a quantity of 0', { qty: '0' }, 'field'],
    ['a negative quantity', { qty: '-1' }, 'field'],
    ['no id', { trade_id: undefined }, 'field'],
    ['an id as text', { trade_id: '"10"' }, 'field'],
    ['a broken id', { trade_id: '1.5' }, 'field'],
    ['a negative id', { trade_id: '-1' }, 'field'],
    ['an id beyond 2^53', { trade_id: '9007199254740993' }, 'field'],
    ['a side that is none', { side: '"b"' }, 'field'],
    ['no symbol', { symbol: undefined }, 'field'],
    ['a symbol that is a number', { symbol: '5' }, 'field'],
    ['no time', { timestamp: undefined }, 'field'],
    ['a time as a number', { timestamp: '1767268800' }, 'field'],
    ['a time of tomorrow', { timestamp: `"${isoTime(noon + day)}"` }, 'time'],
    ['a time of yesterday', { timestamp: `"${isoTime(noon - day)}"` }, 'time'],
  ];
  test.each(trades)('%s', (_name, fields, cause) => {
    const { decode, bad, counters } = openDecoder();
    expect(decode(aTradeFrame(aKrakenTrade(fields), aKrakenTrade()))).toEqual([trade]);
    expect(bad.map((frame) => frame.cause)).toEqual([cause]);
    expect(counters).toEqual({ frames: 1, ignored: 0, bad: 1 });
  });

  const good = aTradeFrame(aKrakenTrade());
  test.each([
    ['a price of NaN', aTradeFrame(aKrakenTrade({ price: 'NaN' })), 'unreadable'],
    ['an id with a leading zero', aTradeFrame(aKrakenTrade({ trade_id: '010' })), 'unreadable'],
    ['half a frame', good.slice(0, -1), 'unreadable'],
    ['a frame nested without end', `{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}`, 'unreadable'],
    ['nothing', '', 'unreadable'],
    ['a number', '5', 'unreadable'],
    ['a list', '[]', 'unreadable'],
    ['data that is none', '{"channel":"trade","type":"update","data":{}}', 'field'],
    ['data of numbers', '{"channel":"trade","type":"update","data":[5]}', 'field'],
    ['a ticker without an ask', aTickerFrame({ ask: undefined }), 'field'],
    ['a ticker with a negative price', aTickerFrame({ bid: '-0.1' }), 'field'],
    ['a ticker of tomorrow', aTickerFrame({ timestamp: `"${isoTime(noon + day)}"` }), 'time'],
  ])('%s', (_name, frame, cause) => {
    const { decode, bad } = openDecoder();
    expect(decode(frame)).toBeUndefined();
    expect(decode(good)).toEqual([trade]);
    expect(bad.map((frame) => frame.cause)).toEqual([cause]);
  });
});
