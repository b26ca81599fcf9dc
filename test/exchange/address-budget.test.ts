import { expect, test } from 'vitest';
import { AddressBudgets } from '../../src/exchange/address-budget.ts';
import { binance } from '../../src/exchange/binance.ts';
import { defaultFeedBounds } from '../../src/exchange/feed-settings.ts';
import { eventually } from '../support/eventually.ts';
import { openTwinFeed } from '../support/twin-feed.ts';
import { TwinClock } from '../support/twin-clock.ts';
import { noon } from '../support/builders.ts';

const addresses = { webSocketBaseUrl: 'wss://a', restBaseUrl: 'https://a' };
const settings = { ...defaultFeedBounds, ...addresses };

test('feeds with the same addresses share one budget, others have their own', () => {
  const clock = new TwinClock(noon);
  const budgets = new AddressBudgets(clock);
  const first = budgets.of(binance, settings);
  const second = budgets.of(binance, settings);
  const elsewhere = budgets.of(binance, { ...settings, restBaseUrl: 'https://b' });
  expect(first.weight.take(3000)).toBe(0);
  expect(second.weight.take(1)).toBe(60_000);
  expect(elsewhere.weight.take(1)).toBe(0);
  expect(elsewhere.connects).toBe(first.connects);
});

test('more than ten attempts to connect within a second wait for the next one', async () => {
  const symbols = Array.from({ length: 25 }, (_, index) => `S${index}`);
  await using setup = await openTwinFeed({ symbols, settings: { symbolsPerConnection: 1 } });
  const { twin, clock, feed } = setup;
  const untilOpen = (count: number) =>
    eventually(
      () => feed.status().connections.filter(({ state }) => state === 'open').length === count,
    );
  await untilOpen(10);
  expect(twin.upgrades).toHaveLength(10);
  await clock.advance(1000, 100);
  await untilOpen(20);
  expect(twin.upgrades).toHaveLength(20);
  await clock.advance(1000, 100);
  await untilOpen(25);
});
