import { expect, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { aSimulator } from '../a-simulator.ts';
import type { SimulatorTwin } from '../a-simulator.ts';
import { pass, stateOf } from './events.ts';

const path = '/api/v3/aggTrades?symbol=BTCUSDT&limit=3';

const ask = async ({ simulator }: SimulatorTwin, asked = path) => {
  const response = await fetch(simulator.url + asked);
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    retryAfter: response.headers.get('retry-after'),
    text: await response.text(),
  };
};

test.each([
  [{ how: 'html' }, 200, /^<html>/],
  [{ how: 'truncated' }, 200, /^\[\{"a":.*[^\]]$/],
  [{ how: 'empty' }, 200, /^$/],
  [{ how: 'wrongShape' }, 200, /^\{"result"/],
  [{ how: 'error' }, 500, /^<html>/],
  [{ how: 'error', status: 502 }, 502, /^<html>/],
])('an answer is spoiled with %j, once', async (how, status, text) => {
  const twin = await aSimulator();
  const truth = await ask(twin);
  await twin.control({ action: 'rest', count: 1, ...how });
  const answer = await ask(twin);
  expect(answer.status).toBe(status);
  expect(answer.text).toMatch(text);
  expect(await ask(twin)).toEqual(truth);
});

test('an answer can be cut in its middle', async () => {
  const twin = await aSimulator();
  await twin.control({ action: 'rest', how: 'cut', count: 1 });
  await expect(ask(twin)).rejects.toThrow('terminated');
});

test('a slow answer comes after its delay, and tells what was true when it was asked', async () => {
  const twin = await aSimulator();
  const truth = await ask(twin);
  await twin.control({ action: 'rest', how: 'slow', delayMs: 5_000, count: 1 });
  const answers: unknown[] = [];
  const asking = ask(twin).then((answer) => answers.push(answer));
  await eventually(async () => expect((await stateOf(twin)).acted).toEqual({ rest: 1 }));
  await pass(twin, 4.9);
  expect(answers).toEqual([]);
  // The answer is ready when its timer is set, which may be a moment after the fault has acted.
  await eventually(async () => {
    await pass(twin, 0.2);
    return answers.length > 0;
  });
  await asking;
  expect(answers).toEqual([truth]);
});

test('an answer that never comes lets the client give up', async () => {
  const twin = await aSimulator();
  await twin.control({ action: 'rest', how: 'never' });
  const impatient = fetch(twin.simulator.url + path, { signal: AbortSignal.timeout(50) });
  await expect(impatient).rejects.toThrow('timeout');
  await twin.control({ action: 'clear', kind: 'rest' });
  expect((await ask(twin)).status).toBe(200);
});

test('only questions of that path and symbol are spoiled', async () => {
  const twin = await aSimulator();
  const fault = { action: 'rest', how: 'empty', symbol: 'BTCUSDT', path: '/api/v3/aggTrades' };
  await twin.control(fault);
  expect((await ask(twin)).text).toBe('');
  expect((await ask(twin, path.replace('BTC', 'ETH'))).text).not.toBe('');
  const klines = '/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=1';
  expect((await ask(twin, klines)).text).not.toBe('');
});

test.each([
  [{ status: 429 }, '60', /"code":-1003/],
  [{ status: 418, retryAfterSeconds: 300 }, '300', /"code":-1003/],
  [{ status: 451 }, null, /"msg"/],
  [{ status: 403 }, null, /^<html>/],
  [{ status: 503 }, null, /^<html>/],
])('REST is refused with %j for a while', async (refusal, retryAfter, text) => {
  const twin = await aSimulator();
  await twin.control({ action: 'refuse', door: 'rest', durationMs: 2_000, ...refusal });
  const answer = await ask(twin);
  expect(answer).toMatchObject({ status: refusal.status, retryAfter });
  expect(answer.text).toMatch(text);
  await twin.connect('/ws/btcusdt@aggTrade');
  await pass(twin, 2);
  expect((await ask(twin)).status).toBe(200);
});

test('klines stay what they are, whatever is dropped', async () => {
  const twin = await aSimulator();
  const klines = '/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=3';
  await pass(twin, 1);
  const truth = await ask(twin, klines);
  const { text } = await ask(twin);
  const [trade] = JSON.parse(text) as { a: number }[];
  const ids = [{ from: (trade?.a ?? 0) - 100, to: trade?.a ?? 0 }];
  await twin.control({ action: 'drop', symbol: 'BTCUSDT', everywhere: true, ids });
  expect(await ask(twin, klines)).toEqual(truth);
});

test('exchangeInfo tells another status of a symbol until its time is over', async () => {
  const twin = await aSimulator();
  const statuses = async () => {
    const info = '/api/v3/exchangeInfo?symbols=["BTCUSDT","ETHUSDT"]';
    const { text } = await ask(twin, info);
    return (JSON.parse(text) as { symbols: { status: string }[] }).symbols.map(
      ({ status }) => status,
    );
  };
  const halt = { action: 'symbolStatus', symbol: 'ETHUSDT', status: 'HALT', durationMs: 1_000 };
  await twin.control(halt);
  expect(await statuses()).toEqual(['TRADING', 'HALT']);
  await pass(twin, 1);
  expect(await statuses()).toEqual(['TRADING', 'TRADING']);
});
