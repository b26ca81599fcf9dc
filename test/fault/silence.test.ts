import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { expectWhole } from './expectations.ts';
import { aFaultyLine } from './faulty-line.ts';

test('F5 where pings go on and nothing else comes, the connection is replaced, and nothing is lost', async () => {
  const line = await aFaultyLine();
  await line.control('stall', { onlyOpen: true });
  await line.connected(2);
  await line.passed(3000);
  await expectWhole(line);
  expect(await line.acted('stall')).toBeGreaterThan(0);
  expect(line.proxy.connects).toBe(2);
  await line.isWell();
});

test('F6 a symbol that dies alone is noticed alone, and whole again when it comes back', async () => {
  const line = await aFaultyLine({ symbols: ['BTCUSDT', 'ETHUSDT'], speed: 12 });
  // By then it is known how often it trades, and how long a silence is odd.
  await line.passed(20_000);
  const before = line.streams.closedUntil('BTCUSDT');
  await line.control('stall', { symbol: 'ETHUSDT', durationMs: 40_000 });
  const isDead = (text: string) => text.includes('dead symbol') && text.includes('ETHUSDT');
  await eventually(() => line.log.some(isDead));
  await line.tells('BTCUSDT', 'LIVE', /^$/u);
  expect(line.streams.closedUntil('BTCUSDT')).toBeGreaterThan(before + 1_000_000);
  await line.passed(45_000);
  await expectWhole(line);
  expect(line.streams.gapsOf('BTCUSDT')).toEqual([]);
  await line.isWell();
});

test('F7 a symbol without a trade for minutes has flat candles, one connection, and few questions', async () => {
  const line = await aFaultyLine({ symbols: ['LTCBTC'], speed: 60 });
  await line.control('inject', { symbol: 'LTCBTC', frames: [] });
  const before = line.proxy.questions('/api/v3/aggTrades');
  await line.passed(180_000);
  // One when the silence is 2 s old, and so on: see probeAfterMs.
  expect(line.proxy.questions('/api/v3/aggTrades') - before).toBeLessThan(100);
  expect(line.proxy.connects).toBe(1);
  await line.tells('LTCBTC', 'QUIET');
  const [last] = [...line.streams.versions('LTCBTC', '1m').values()].at(-1) ?? [];
  expect(last).toMatchObject({ isComplete: true, tradeCount: 0, volume: 0n });
  await expectWhole(line);
});

test.each(['error', 'none'])(
  'F8 a symbol whose subscription is answered with %s is shown as that, without a storm',
  async (answer) => {
    const line = await aFaultyLine({ symbols: ['BTCUSDT', 'ETHUSDT'] });
    await line.control('ignoreSubscriptions', { symbol: 'ETHUSDT', answer });
    await line.control('cut');
    await line.tells('ETHUSDT', 'STALE', answer === 'error' ? /code 2/u : /does not name/u);
    await line.tells('BTCUSDT', 'LIVE', /^$/u);
    await line.passed(60_000);
    // One that would replace it is given half a minute to show that it is better.
    expect(line.proxy.connects).toBeLessThan(8);
    expect(await line.acted('ignoreSubscriptions')).toBeLessThan(40);
    await expectWhole(line, ['BTCUSDT']);
  },
);

test('F9 a subscription that is lost with a reconnect is found and made again, and nothing is lost', async () => {
  const line = await aFaultyLine({ symbols: ['BTCUSDT', 'ETHUSDT'] });
  await line.control('ignoreSubscriptions', { symbol: 'ETHUSDT', count: 2 });
  await line.control('cut');
  await line.connected(2);
  await eventually(async () => expect(await line.acted('ignoreSubscriptions')).toBe(2));
  await line.isWell();
  await line.passed(2000);
  await expectWhole(line);
  expect(line.proxy.connects).toBe(2);
});
