import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectWhole } from './expectations.ts';
import { aFaultyLine } from './faulty-line.ts';

test('F1 connections that are cut at their age, and were not replaced before, lose no trade', async () => {
  const line = await aFaultyLine();
  await line.control('dayCut', { lifeMs: 10_000, count: 3 });
  await line.connected(4);
  await expectWhole(line);
  expect(line.proxy.connects).toBe(4);
});

test('F2 at serverShutdown the next connection takes over, and no candle notices', async () => {
  const line = await aFaultyLine({ speed: 10 });
  await line.control('serverShutdown', { afterMs: 20_000 });
  await line.connected(2);
  await line.passed(25_000);
  await expectWhole(line);
  // That nothing is missed for a moment either is told in test/exchange/handover.test.ts, whose clock
  // stands still: here 250 ms are 25.
  const states = line.streams.gapsOf('BTCUSDT').map(({ state }) => state);
  const count = (wanted: string) => states.filter((state) => state === wanted).length;
  expect(count('filled')).toBe(count('open'));
  expect(line.proxy.connects).toBe(2);
});

test.each(['abrupt', 'midFrame', 'reset', 'close'])(
  'F3 after a cut (%s) the gap is told, then filled, and the candles are whole',
  async (how) => {
    const line = await aFaultyLine();
    await line.control('refuse', { door: 'websocket', status: 503, count: 2 });
    await line.control('cut', how === 'close' ? { code: 1008, reason: 'bye' } : { how });
    await line.tells('BTCUSDT', 'DOWN');
    await line.connected(4);
    await line.passed(2000);
    await expectWhole(line);
    const states = new Set(line.streams.gapsOf('BTCUSDT').map(({ state }) => state));
    expect(states).toEqual(new Set(['open', 'filled']));
    expect(line.proxy.connects, 'two were refused').toBe(4);
    await line.isWell();
  },
);

test('F4 a connection that vanished without an end is noticed within a minute, and nothing closes meanwhile', async () => {
  const line = await aFaultyLine({ speed: 40 });
  await line.control('vanish', { durationMs: 600_000 });
  const vanished = line.clock.now();
  await line.tells('BTCUSDT', 'STALE');
  await line.connected(2);
  expect(line.clock.now() - vanished).toBeLessThan(90_000_000);
  await line.passed(2000);
  await expectWhole(line);
  expect(line.streams.gapsOf('BTCUSDT').map(({ state }) => state)).toContain('filled');
  expect(line.proxy.connects).toBe(2);
  await line.isWell();
});

test.each([0, 1])(
  'F13 connections that are closed after %i events are not asked for in a storm',
  async (afterFrames) => {
    const line = await aFaultyLine({ speed: 40 });
    await line.control('acceptThenClose', { count: 1000, afterFrames, code: 1008 });
    await line.control('cut');
    await line.passed(100_000);
    // 0.5 s, doubled to 30 s, each give or take: without a back-off it would be hundreds.
    const attempts = await line.acted('acceptThenClose');
    expect(attempts).toBeGreaterThan(2);
    expect(line.proxy.connects).toBeLessThan(16);
    expect((await line.status('BTCUSDT')).reason).not.toBe('');
    await line.control('clear');
    await eventually(async () => expect((await line.status('BTCUSDT')).reason).toBe(''), 40_000);
    await line.passed(2000);
    await expectWhole(line);
  },
);
