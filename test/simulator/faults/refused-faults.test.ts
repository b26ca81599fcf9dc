import { expect, test } from 'vitest';
import { aSimulator } from '../a-simulator.ts';
import { stateOf } from './events.ts';

const bnb = { symbol: 'BNBUSDT' };

test.each([
  [{ action: 'drop', ids: [1] }, 'symbol: expected the one whose ids are given, got nothing'],
  [{ action: 'drop', ...bnb, ids: 7 }, 'ids: expected a list of ids'],
  [{ action: 'drop', ...bnb, ids: [1, -1] }, 'ids[1]: expected an integer from 0 to'],
  [{ action: 'drop', ...bnb, ids: ['1'] }, 'ids[0]: expected an object, got "1"'],
  [{ action: 'drop', ...bnb, ids: [{ from: 5, to: 4 }] }, 'ids[0].to: expected at least 5, got 4'],
  [{ action: 'drop', count: 0 }, 'count: expected an integer from 1 to 1000000, got 0'],
  [{ action: 'drop', count: 1.5 }, 'count: expected an integer from 1 to 1000000, got 1.5'],
  [{ action: 'drop', oneIn: 0 }, 'oneIn: expected an integer from 1'],
  [{ action: 'drop', everywhere: 'yes' }, 'everywhere: expected true or false, got "yes"'],
  [{ action: 'drop', durationMs: -5 }, 'durationMs: expected an integer from 1 to'],
  [{ action: 'drop', symbol: 'btc' }, 'symbol: expected a symbol in upper case'],
  [{ action: 'drop', cuont: 5 }, 'cuont: expected one of symbol, oneIn, count, durationMs, ids'],
  [{ action: 'duplicate', copies: 1_001 }, 'copies: expected an integer from 1 to 1000, got 1001'],
  [{ action: 'duplicate', stream: 'depth' }, 'stream: expected one of aggTrade, trade, bookTicker'],
  [{ action: 'duplicate', afterMs: null }, 'afterMs: expected an integer'],
  [{ action: 'reorder' }, 'window: expected an integer from 2 to 1000, got nothing'],
  [{ action: 'reorder', window: 1 }, 'window: expected an integer from 2 to 1000, got 1'],
  [{ action: 'delay' }, 'delayMs: expected an integer from 1 to 3600000, got nothing'],
  [{ action: 'stall', count: 5 }, 'count: expected one of symbol, stream, durationMs, onlyOpen'],
  [{ action: 'alter' }, 'change: expected fields to set, or remove or shiftMs, got nothing'],
  [{ action: 'alter', change: [] }, 'change: expected an object, got []'],
  [{ action: 'alter', remove: [7] }, 'remove[0]: expected a text of at most 80 characters, got 7'],
  [{ action: 'cut', how: 'gently' }, 'how: expected one of abrupt, midFrame, reset, close'],
  [{ action: 'cut', code: 1006 }, 'code: expected a code that may be sent, got 1006'],
  [{ action: 'cut', code: 99 }, 'code: expected an integer from 1000 to 4999, got 99'],
  [{ action: 'cut', how: 'abrupt', code: 1000 }, 'code: expected only with how "close"'],
  [{ action: 'cut', reason: 'x'.repeat(31) }, 'reason: expected a text of at most 30 characters'],
  [{ action: 'dayCut', lifeMs: 0 }, 'lifeMs: expected an integer from 1'],
  [{ action: 'vanish', durationMs: 'long' }, 'durationMs: expected an integer from 1'],
  [{ action: 'serverShutdown', afterMs: 0 }, 'afterMs: expected an integer from 1'],
  [{ action: 'ignoreSubscriptions', answer: 'maybe' }, 'answer: expected one of ok, none, error'],
  [{ action: 'loseSubscription' }, 'symbol: expected a symbol in upper case'],
  [{ action: 'refuse' }, 'status: expected one of 403, 418, 429, 451, 500, 502, 503, 504'],
  [{ action: 'refuse', status: 'silence', retryAfterSeconds: 5 }, 'retryAfterSeconds: expected'],
  [{ action: 'symbolStatus', ...bnb }, 'status: expected one of END_OF_DAY, HALT, BREAK'],
  [{ action: 'symbolStatus', status: 'HALT' }, 'symbol: expected a symbol in upper case'],
  [{ action: 'refuse', status: 200 }, 'status: expected one of 403'],
  [{ action: 'refuse', status: 429, door: 'back' }, 'door: expected one of websocket, rest, both'],
  [{ action: 'acceptThenClose', afterFrames: -1 }, 'afterFrames: expected an integer from 0'],
  [{ action: 'rest' }, 'delayMs: expected at least 1 with how "slow", got 0'],
  [{ action: 'rest', how: 'odd' }, 'how: expected one of slow, never, html'],
  [{ action: 'rest', how: 'html', status: 500 }, 'status: expected only with how "error"'],
  [{ action: 'rest', how: 'html', path: '/x' }, 'path: expected one of /api/v3/ping'],
  [{ action: 'garbage' }, 'frames: expected a list of texts or objects'],
  [{ action: 'garbage', frames: [{}] }, 'frames[0]: expected a text or an object with one of'],
  [{ action: 'garbage', frames: [{ binary: '?' }] }, 'frames[0].binary: expected base64'],
  [{ action: 'garbage', frames: [{ bytes: 1e9 }] }, 'frames[0].bytes: expected an integer from 0'],
  [{ action: 'garbage', frames: Array.from({ length: 10_001 }, () => '') }, 'frames: expected at'],
  [{ action: 'garbage', frames: Array.from({ length: 3 }, () => ({ bytes: 1.2e8 })) }, 'bytes'],
  [{ action: 'send', ...bnb }, 'frames: expected a list of payloads'],
  [{ action: 'send', frames: [] }, 'symbol: expected a symbol in upper case'],
  [{ action: 'resume', ...bnb, frames: [] }, 'frames: expected one of symbol'],
  [{ action: 'clear', kind: 'everything' }, 'kind: expected one of acceptThenClose, alter'],
  [{ action: 'clear', number: 0 }, 'number: expected an integer from 1'],
])('%j is refused', async (body, message) => {
  const twin = await aSimulator();
  const answer = await twin.control(body);
  expect(answer.status).toBe(400);
  expect(answer.body).toEqual({ error: expect.stringContaining(message) });
  expect((await stateOf(twin)).faults).toEqual([]);
});

test('there is a bound on the faults in force', async () => {
  const twin = await aSimulator();
  for (let count = 0; count < 200; count++) {
    expect((await twin.control({ action: 'stall' })).status).toBe(200);
  }
  const answer = await twin.control({ action: 'stall' });
  expect(answer.body).toEqual({
    error: 'action: expected at most 200 faults, clear some first',
  });
  expect((await twin.control({ action: 'clear' })).body).toEqual({ cleared: 200 });
});

test('faults are cleared by kind, by symbol or by number', async () => {
  const twin = await aSimulator();
  const begin = async (body: object) =>
    expect((await twin.control(body)).status, JSON.stringify(body)).toBe(200);
  await begin({ action: 'stall', symbol: 'BTCUSDT' });
  await begin({ action: 'stall', symbol: 'ETHUSDT' });
  await begin({ action: 'delay', symbol: 'BTCUSDT', delayMs: 5 });
  await begin({ action: 'refuse', status: 503 });
  const left = async () => (await stateOf(twin)).faults.map(({ number }) => number);
  await begin({ action: 'clear', kind: 'stall', symbol: 'ETHUSDT' });
  expect(await left()).toEqual([1, 3, 4]);
  await begin({ action: 'clear', symbol: 'BTCUSDT' });
  expect(await left()).toEqual([4]);
  await begin({ action: 'clear', number: 3 });
  expect(await left()).toEqual([4]);
  await begin({ action: 'clear', number: 4 });
  expect(await left()).toEqual([]);
});
