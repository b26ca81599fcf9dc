import { describe, expect, test } from 'vitest';
import type { FaultyLine } from './faulty-line.ts';
import { eventually } from '../support/eventually.ts';
import { expectSound, expectWhole } from './expectations.ts';
import { aFaultyLine } from './faulty-line.ts';

const trades = '/api/v3/aggTrades?symbol=BTCUSDT&fromId';

/** A busy machine makes the feed ask for the last trade now and then: so many at most. */
const toldOnTheWay = 20;

/** Waits until a gap has been told that is in this state. */
const untilGap = (line: FaultyLine, state: string, symbol = 'BTCUSDT') =>
  eventually(() => expect(line.streams.gapsOf(symbol).map((gap) => gap.state)).toContain(state));

test.each([1, 1500])(
  'F10 %i missing trades are told as a gap, filled page by page, and the candles become whole',
  async (count) => {
    const line = await aFaultyLine({ speed: 40 });
    await line.control('drop', { symbol: 'BTCUSDT', count });
    await eventually(async () => expect(await line.acted('drop')).toBe(count), 40_000);
    await untilGap(line, 'filled');
    await line.passed(2000);
    await expectWhole(line);
    const open = line.streams.gapsOf('BTCUSDT').filter(({ state }) => state === 'open');
    const missing = open.reduce((sum, gap) => sum + gap.lastMissingId - gap.firstMissingId + 1, 0);
    // Now and then a missing one is told as the last trade, before it counts as missing.
    expect(missing).toBeGreaterThanOrEqual(Math.max(1, count - toldOnTheWay));
    expect(line.proxy.connects).toBe(1);
    await line.isWell();
  },
);

test('F10 a million missing trades hold nothing up, and are asked for within reason', async () => {
  const line = await aFaultyLine();
  await line.control('inject', { symbol: 'BTCUSDT', frames: [] });
  await line.passed(1000);
  const id = Math.max(...line.streams.tradesOf('BTCUSDT')) + 1_000_000;
  const T = Math.floor(line.clock.now() / 1000);
  const single = { a: id, f: id + 9_000_000_000, l: id + 9_000_000_000, m: true, M: true };
  const frame = { e: 'aggTrade', E: T, s: 'BTCUSDT', ...single, p: '65000.00', q: '0.10000', T };
  await line.control('inject', { symbol: 'BTCUSDT', frames: [frame] });
  await line.control('resume', { symbol: 'BTCUSDT' });
  await untilGap(line, 'open');
  const before = line.streams.tradesOf('BTCUSDT').length;
  await eventually(() => line.streams.tradesOf('BTCUSDT').length > before + 50);
  await eventually(() => {
    const over = line.streams.gapsOf('BTCUSDT').filter(({ state }) => state !== 'open');
    expect(over.length).toBeGreaterThan(0);
  });
  expect(line.proxy.questions(trades)).toBeLessThan(20);
  const untouched = line.streams.candles.filter(({ instrument }) => instrument.endsWith('LTCBTC'));
  expect(untouched.filter(({ isComplete }) => !isComplete)).toEqual([]);
  await expectSound(line);
  await line.isWell();
});

test('F11 trades that REST lacks, too, are absent once, and only their candle stays incomplete', async () => {
  const line = await aFaultyLine();
  await line.passed(2000);
  const next = Math.max(...line.streams.tradesOf('BTCUSDT')) + 40;
  const ids = [{ from: next, to: next + 4 }];
  await line.control('drop', { symbol: 'BTCUSDT', ids, everywhere: true });
  await untilGap(line, 'absent');
  const asked = line.proxy.questions(trades);
  const versions = () => line.streams.candles.filter(({ timeframe }) => timeframe === '1s');
  await eventually(() => expect(versions().some(({ isComplete }) => !isComplete)).toBe(true));
  await line.passed(20_000);
  expect(line.proxy.questions(trades), 'it is not asked for again').toBe(asked);
  const absent = line.streams.gapsOf('BTCUSDT').filter(({ state }) => state === 'absent');
  expect(absent).toMatchObject([{ firstMissingId: next, lastMissingId: next + 4 }]);
  const [gap] = absent;
  const isTouched = (openTime: number, closeTime: number) =>
    gap !== undefined && gap.fromTime < closeTime && gap.toTime >= openTime;
  for (const all of line.streams.versions('BTCUSDT', '1s').values()) {
    const candle = all.at(-1);
    if (candle === undefined || candle.closeTime > line.clock.now() - 3_000_000) continue;
    expect(candle.isComplete).toBe(!isTouched(candle.openTime, candle.closeTime));
  }
  await expectSound(line);
});

describe('F12 while REST', () => {
  test.each<[what: string, action: string, fields: object, maximumQuestions: number]>([
    ['answers 429 with Retry-After', 'refuse', { status: 429, retryAfterSeconds: 20 }, 4],
    ['answers 418 with Retry-After', 'refuse', { status: 418, retryAfterSeconds: 20 }, 4],
    ['answers 451', 'refuse', { status: 451, retryAfterSeconds: 20 }, 4],
    ['answers 403', 'refuse', { status: 403, retryAfterSeconds: 20 }, 4],
    ['answers 503', 'refuse', { status: 503 }, 30],
    ['answers with a page', 'rest', { how: 'html' }, 30],
    ['answers half of the JSON', 'rest', { how: 'truncated' }, 30],
    ['is cut off in its answer', 'rest', { how: 'cut' }, 30],
    ['answers nothing', 'rest', { how: 'empty' }, 30],
    ['answers something else', 'rest', { how: 'wrongShape' }, 30],
    ['answers 500', 'rest', { how: 'error', status: 500 }, 30],
  ])('%s the gap stays open, is not stormed about, and is filled afterwards', async (...row) => {
    const [, action, fields, maximumQuestions] = row;
    const line = await aFaultyLine();
    await line.control(action, { ...fields, ...(action === 'refuse' ? { door: 'rest' } : {}) });
    await line.control('drop', { symbol: 'BTCUSDT', count: 20 });
    await untilGap(line, 'open');
    const before = line.proxy.questions('/api/v3');
    await line.passed(10_000);
    expect(await line.acted(action)).toBeGreaterThan(0);
    expect(line.proxy.questions('/api/v3') - before).toBeLessThan(maximumQuestions);
    expect(line.streams.gapsOf('BTCUSDT').map(({ state }) => state)).not.toContain('filled');
    await line.tells('BTCUSDT', 'GAP', /missing/u);
    await expectSound(line);
    await line.control('clear');
    await untilGap(line, 'filled');
    await expectWhole(line);
    expect(line.proxy.connects).toBe(1);
    await line.isWell();
  });

  test('does not answer at all the question is given up, and asked again', async () => {
    const line = await aFaultyLine({ environment: { REST_TIMEOUT_MS: '5000' } });
    await line.control('rest', { how: 'never' });
    await line.control('drop', { symbol: 'BTCUSDT', count: 20 });
    await untilGap(line, 'open');
    await line.passed(20_000);
    await expectSound(line);
    await line.control('clear');
    await untilGap(line, 'filled');
    await expectWhole(line);
  });
});
