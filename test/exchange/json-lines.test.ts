import { expect, test } from 'vitest';
import { formatDecimal, parseDecimal } from '../../src/base/decimal.ts';
import type { BadFrame } from '../../src/exchange/bad-frame.ts';
import { JsonLinesDecoder } from '../../src/exchange/json-lines.ts';
import { noon } from '../support/builders.ts';
import { aPriceLine } from '../support/twin-json-lines.ts';

const receivedTime = noon + 2000;
const timestamp = noon / 1000;

function openDecoder() {
  const bad: BadFrame[] = [];
  const decoder = new JsonLinesDecoder({
    exchange: 'exchange1',
    symbols: ['BTCUSDT', 'DOGEUSDT', 'Ⓐ"'],
    maximumAheadMs: 60_000,
    maximumBehindMs: 600_000,
    onBadFrame: (frame) => bad.push(frame),
  });
  const decode = (line: string, at = receivedTime) => decoder.decode(line, at);
  return { bad, decoder, decode };
}

const trade = {
  type: 'trade',
  instrument: 'exchange1:BTCUSDT',
  id: receivedTime,
  price: parseDecimal('100123.45'),
  quantity: 0n,
  takerSide: undefined,
  exchangeTime: noon,
  eventTime: undefined,
  receivedTime,
  firstTradeId: receivedTime,
  lastTradeId: receivedTime,
};

const usual = `{"symbol":"BTCUSDT","price":100123.45,"timestamp":${timestamp}}`;

test.each([
  ['as MarketFlow writes it', usual, trade],
  ['with CRLF', `${usual}\r`, trade],
  ['with spaces', usual.replaceAll(':', ': ').replaceAll(',', ', '), trade],
  [
    'with more spaces',
    ` { "symbol" : "BTCUSDT","price":100123.45,"timestamp":${timestamp}}`,
    trade,
  ],
  [
    'in another order, with fields of its own',
    `{"exchange":{"price":1},"timestamp":${timestamp},"price":100123.45,"symbol":"BTCUSDT"}`,
    trade,
  ],
  ['in seconds', usual.replace(String(timestamp), String(timestamp / 1000)), trade],
  [
    'of a symbol that JSON escapes',
    usual.replace('BTCUSDT', String.raw`\u24b6\"`),
    { ...trade, instrument: 'exchange1:Ⓐ"' },
  ],
])('a line %s becomes its trade', (_name, line, expected) => {
  const { bad, decode } = openDecoder();
  expect(decode(line)).toEqual(expected);
  expect(bad).toEqual([]);
});

// Floats would change the first ones.
test.each([
  ['100000000000000.000000000000000001', '100000000000000.000000000000000001'],
  ['0.100000000000000005', '0.100000000000000005'],
  ['9007199254740993', undefined],
  ['900719925474099.3', '900719925474099.3'],
  ['1e-7', '0.0000001'],
  ['1E-18', '0.000000000000000001'],
  ['1.50e+3', '1500'],
  ['0.00015e4', '1.5'],
  ['12345e-2', '123.45'],
  ['100.10', '100.1'],
  ['1.1234567890123456781', undefined],
  ['1e15', undefined],
  ['1e999999999', undefined],
  ['1e-19', undefined],
  ['0', undefined],
  ['0.0', undefined],
  ['0e5', undefined],
  ['-1', undefined],
  ['-0.5', undefined],
  ['-0', undefined],
])('a price of %s is read as it is written, or refused', (price, expected) => {
  const { bad, decode } = openDecoder();
  const read = decode(aPriceLine({ price, timestamp }))?.price;
  expect(read === undefined ? undefined : formatDecimal(read)).toBe(expected);
  if (expected === undefined) expect(bad).toMatchObject([{ cause: 'field', problem: /^price: / }]);
});

const line = (fields: object) =>
  JSON.stringify({ symbol: 'BTCUSDT', price: 1, timestamp, ...fields });

test.each([
  ['not JSON', 'hello', 'unreadable'],
  ['half of one', usual.slice(0, 20), 'unreadable'],
  ['two in one line', usual + usual, 'unreadable'],
  ['a list', `[${usual}]`, 'unreadable'],
  ['a number', '7', 'unreadable'],
  ['null', 'null', 'unreadable'],
  ['with a leading zero', usual.replace('100123', '0100123'), 'unreadable'],
  ['with NaN', usual.replace('100123.45', 'NaN'), 'unreadable'],
  ['with Infinity', usual.replace('100123.45', 'Infinity'), 'unreadable'],
  ['with a byte-order mark', `\uFEFF${usual}`, 'unreadable'],
  ['nested without end', '['.repeat(60_000), 'unreadable'],
  ['nested deeply', '['.repeat(30_000) + ']'.repeat(30_000), 'unreadable'],
  ['with a price as text', line({ price: '100.5' }), 'field'],
  ['with null for a price', line({ price: null }), 'field'],
  ['with a list for a price', line({ price: [1] }), 'field'],
  ['without a price', line({ price: undefined }), 'field'],
  ['without a symbol', line({ symbol: undefined }), 'field'],
  ['with a number for a symbol', line({ symbol: 7 }), 'field'],
  ['with an empty symbol', line({ symbol: '' }), 'field'],
  ['without a timestamp', line({ timestamp: undefined }), 'field'],
  ['with a timestamp as text', line({ timestamp: String(timestamp) }), 'field'],
  ['with a fraction in the timestamp', line({ timestamp: 1767268800.5 }), 'field'],
  ['with an exponent in the timestamp', usual.replace(/\d+\}/, '1.7672688e12}'), 'field'],
  ['with a negative timestamp', line({ timestamp: -timestamp }), 'field'],
  ['with an endless timestamp', usual.replace('}', `${'0'.repeat(300)}}`), 'field'],
  ['with a timestamp of 0', line({ timestamp: 0 }), 'time'],
  ['an hour ahead', line({ timestamp: timestamp + 3_600_000 }), 'time'],
  ['in the year 54000', line({ timestamp: timestamp * 30 }), 'time'],
  ['a minute and a bit ahead', line({ timestamp: timestamp + 60_003 }), 'time'],
  ['ten minutes and a bit behind', line({ timestamp: timestamp - 600_000 }), 'time'],
  ['an hour ahead in seconds', line({ timestamp: timestamp / 1000 + 3600 }), 'time'],
  ['in microseconds', line({ timestamp: timestamp * 1000 }), 'time'],
])('a line %s is counted by its cause and is no trade', (_name, text, cause) => {
  const { bad, decoder, decode } = openDecoder();
  expect(decode(text)).toBeUndefined();
  expect(bad).toMatchObject([{ cause }]);
  expect(decoder.counters).toEqual({ frames: 1, ignored: 0, bad: 1 });
  // It leaves nothing behind.
  expect(decode(usual)).toEqual(trade);
});

test.each([100, 1000, 3000, 10_000, 30_000])(
  'a field that is nested %i deep is no trade and ends nothing',
  (depth) => {
    const { decoder, decode } = openDecoder();
    const nested = '['.repeat(depth) + ']'.repeat(depth);
    for (const key of ['symbol', 'price', 'timestamp']) {
      decode(usual.replace(new RegExp(`"${key}":[^,}]+`, 'u'), `"${key}":${nested}`));
    }
    expect(decoder.counters.bad).toBe(3);
  },
);

test.each(['BTC-USDT', 'btcusdt', 'Btc/Usdt', 'BTC_USDT'])(
  'a symbol that is written %s is the same instrument, and counts on with it',
  (symbol) => {
    const { bad, decode } = openDecoder();
    decode(usual);
    expect(decode(line({ symbol }))).toMatchObject({
      instrument: 'exchange1:BTCUSDT',
      id: receivedTime + 1,
    });
    expect(bad).toEqual([]);
  },
);

test.each([
  ['another symbol', line({ symbol: 'ETHUSDT' })],
  ['an empty line', ''],
  ['an empty line with CR', '\r'],
])('%s is ignored and counted', (_name, text) => {
  const { bad, decoder, decode } = openDecoder();
  expect(decode(text)).toBeUndefined();
  expect(bad).toEqual([]);
  expect(decoder.counters).toEqual({ frames: 1, ignored: 1, bad: 0 });
});

test.each([
  [timestamp + 60_000, timestamp + 60_000],
  [timestamp - 590_000, timestamp - 590_000],
  [timestamp / 1000 - 590, timestamp - 590_000],
])('a time of %i is near enough to be true', (written, ms) => {
  const { decode } = openDecoder();
  expect(decode(line({ timestamp: written }))?.exchangeTime).toBe(ms * 1000);
});

test('ids count an instrument’s trades as they arrive, and leave one out after a break', () => {
  const { decoder, decode } = openDecoder();
  const ids = (...symbols: readonly string[]) =>
    symbols.map((symbol) => decode(line({ symbol }))?.id);
  expect(ids('BTCUSDT', 'BTCUSDT', 'DOGEUSDT')).toEqual([
    receivedTime,
    receivedTime + 1,
    receivedTime,
  ]);
  decode(line({ price: 'bad' }));
  decoder.skipIds();
  expect(ids('BTCUSDT', 'DOGEUSDT')).toEqual([receivedTime + 3, receivedTime + 2]);
});

test('a decoder that is opened later goes on above the ids of one before it', () => {
  const before = openDecoder().decode(usual);
  const after = openDecoder().decode(usual, receivedTime + 1_000_000);
  expect(after?.id).toBeGreaterThan(before?.id ?? Infinity);
});
