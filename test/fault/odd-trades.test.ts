import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectWhole } from './expectations.ts';
import { aFaultyLine } from './faulty-line.ts';
import type { FaultyLine } from './faulty-line.ts';

const untilActed = (line: FaultyLine, action: string, count: number) =>
  eventually(async () => expect(await line.acted(action)).toBeGreaterThanOrEqual(count));

test.each([0, 3000])(
  'F14 trades that come again (%i ms later) count once and change no candle',
  async (afterMs) => {
    const line = await aFaultyLine({ speed: 8 });
    const before = await line.metric('tradewind_market_duplicate_trades_total');
    const stream = 'aggTrade';
    await line.control('duplicate', { symbol: 'BTCUSDT', stream, count: 100, copies: 3, afterMs });
    await untilActed(line, 'duplicate', 100);
    await line.passed(afterMs + 2000);
    await expectWhole(line);
    const counted = await line.metric('tradewind_market_duplicate_trades_total');
    expect(counted - before).toBeGreaterThanOrEqual(300);
    expect(line.streams.gapsOf('BTCUSDT')).toEqual([]);
  },
);

test('F15 of two trades with one id the first counts', async () => {
  const line = await aFaultyLine({ speed: 8 });
  await line.control('alter', {
    symbol: 'BTCUSDT',
    count: 20,
    keep: true,
    change: { p: '1.00', q: '999.00000' },
  });
  await untilActed(line, 'alter', 20);
  await line.passed(2000);
  await expectWhole(line);
  expect(line.streams.gapsOf('BTCUSDT')).toEqual([]);
});

test('F16 trades that come in another order give the same candles', async () => {
  const line = await aFaultyLine({ speed: 10 });
  const stream = 'aggTrade';
  await line.control('reorder', { symbol: 'BTCUSDT', stream, window: 4, count: 80, holdMs: 500 });
  await untilActed(line, 'reorder', 80);
  await line.passed(2000);
  await expectWhole(line);
  expect(line.proxy.connects).toBe(1);
});

test('F17 a trade that comes after its candle has closed revises it', async () => {
  const line = await aFaultyLine();
  // So that the trades come late by themselves, and not as the filling of a gap.
  await line.control('rest', { how: 'slow', delayMs: 30_000, path: '/api/v3/aggTrades' });
  await line.control('delay', { symbol: 'BTCUSDT', stream: 'aggTrade', delayMs: 5000, count: 3 });
  await untilActed(line, 'delay', 3);
  await line.passed(8000);
  const revised = [...line.streams.versions('BTCUSDT', '1s').values()]
    .map((versions) => versions.map(({ revision, isComplete }) => [revision, isComplete]))
    .filter((versions) => versions.length > 1);
  expect(revised.length).toBeGreaterThan(0);
  for (const versions of revised) expect(versions.at(-1)).toEqual([versions.at(-1)?.[0], true]);
  expect(line.streams.gapsOf('BTCUSDT').map(({ state }) => state)).toContain('filled');
  await line.control('clear');
  await expectWhole(line);
});

describe('F18 a trade with a time that cannot be is left out, and its true one asked for:', () => {
  test.each<[what: string, fault: object]>([
    ['a day ahead', { shiftMs: 86_400_000 }],
    ['0', { change: { T: 0 } }],
    ['negative', { change: { T: -1 } }],
    ['in microseconds', { change: { T: Date.UTC(2027, 2, 3) * 1000 } }],
    ['in seconds', { change: { T: Date.UTC(2027, 2, 3) / 1000 } }],
    ['years ahead', { change: { T: Number.MAX_SAFE_INTEGER } }],
    ['an hour ago', { shiftMs: -3_600_000 }],
  ])('%s', async (_, fault) => {
    const line = await aFaultyLine();
    await line.control('alter', { symbol: 'BTCUSDT', count: 5, ...fault });
    await untilActed(line, 'alter', 5);
    await line.passed(3000);
    await expectWhole(line);
    const latest = line.streams.candles.map(({ openTime }) => openTime);
    expect(Math.max(...latest), 'no candle is from the future').toBeLessThan(line.clock.now());
    expect(line.proxy.connects).toBe(1);
    await line.isWell();
  });
});

test.each([-5000, 5000])(
  'F32 with a clock that is %i ms ahead of the exchange’s, candles are those of its time',
  async (serverAheadMs) => {
    const line = await aFaultyLine({ serverAheadMs });
    await line.passed(70_000);
    await expectWhole(line);
    const offset = await line.metric('tradewind_clock_offset_seconds');
    expect(Math.abs(offset + serverAheadMs / 1000)).toBeLessThan(1);
    expect(await line.metric('tradewind_trade_received_seconds_sum')).toBeGreaterThanOrEqual(0);
    await line.isWell();
  },
);
