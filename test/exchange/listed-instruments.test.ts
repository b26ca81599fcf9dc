import { describe, expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { openTwinFeed } from '../support/twin-feed.ts';
import type { TwinAnswer } from '../support/twin-exchange.ts';

/** Answers what is listed from this table of states; a symbol that is not in it is unknown. */
function statesAre(states: Readonly<Record<string, string>>) {
  return ({ pathname, searchParams }: URL): TwinAnswer => {
    if (pathname !== '/api/v3/exchangeInfo') return { body: [] };
    const asked = JSON.parse(searchParams.get('symbols') ?? '[]') as string[];
    if (asked.some((symbol) => states[symbol] === undefined)) {
      return { status: 400, body: { code: -1121, msg: 'Invalid symbol.' } };
    }
    const symbols = asked.map((symbol) => ({ symbol, status: states[symbol], filters: [] }));
    return { body: { symbols } };
  };
}

const isListing = (question: string) => question.startsWith('/api/v3/exchangeInfo');

async function openListed(states: Readonly<Record<string, string>>, symbols: readonly string[]) {
  const setup = await openTwinFeed({
    symbols,
    // Hours pass here, in which nothing else is looked at.
    settings: { tickMs: 600_000, silenceTimeoutMs: 1e9 },
    prepare: (twin) => {
      twin.answer = statesAre(states);
    },
  });
  await setup.untilState('open');
  return setup;
}

test.each([
  ['HALT', 'The exchange has halted it (HALT)'],
  ['BREAK', 'The exchange has it in a break (BREAK)'],
  ['END_OF_DAY', 'The exchange has closed it for the day (END_OF_DAY)'],
  ['CANCEL_ONLY', 'The exchange takes only cancellations for it (CANCEL_ONLY)'],
  ['SOMETHING_NEW', 'It does not trade (SOMETHING_NEW)'],
])('a symbol in state %s is shown as troubled, and the others are not', async (state, reason) => {
  await using setup = await openListed({ BTCUSDT: 'TRADING', A: state }, ['BTCUSDT', 'A']);
  await eventually(() => setup.feed.instrumentTroubles().size === 1);
  expect([...setup.feed.instrumentTroubles()]).toEqual([['sim-binance:A', reason]]);
  expect(setup.feed.status().state).toBe('open');
});

test('a symbol that the exchange does not know is shown as that', async () => {
  await using setup = await openListed({ BTCUSDT: 'TRADING' }, ['BTCUSDT', 'GONE']);
  await eventually(() => setup.feed.instrumentTroubles().size === 1);
  expect([...setup.feed.instrumentTroubles()]).toEqual([
    ['sim-binance:GONE', 'The exchange does not list this symbol'],
  ]);
});

test('as long as the exchange has not said anything nothing is troubled', async () => {
  await using setup = await openTwinFeed({
    prepare: (twin) => {
      twin.answer = () => ({ status: 500 });
    },
  });
  await eventually(() => setup.twin.questions.some(isListing));
  expect(setup.feed.instrumentTroubles()).toEqual(new Map());
});

describe('what is listed is asked for again', () => {
  test('every hour: a halt is noticed, and its end', async () => {
    const states: Record<string, string> = { BTCUSDT: 'TRADING' };
    await using setup = await openListed(states, ['BTCUSDT']);
    const { feed, twin, clock } = setup;
    await eventually(() => feed.limits().size === 1);
    states['BTCUSDT'] = 'HALT';
    await clock.advance(3_599_000);
    expect(twin.questions.filter(isListing)).toHaveLength(1);
    await clock.advance(1000);
    await eventually(() => feed.instrumentTroubles().size === 1);
    states['BTCUSDT'] = 'TRADING';
    await clock.advance(3_600_000);
    await eventually(() => feed.instrumentTroubles().size === 0);
    expect(twin.questions.filter(isListing)).toHaveLength(3);
  });

  test('after a reconnect, but not after each one of a storm', async () => {
    await using setup = await openListed({ BTCUSDT: 'TRADING' }, ['BTCUSDT']);
    const { feed, twin } = setup;
    await eventually(() => feed.limits().size === 1);
    for (let storm = 0; storm < 20; storm++) {
      await setup.untilState('open');
      twin.cut();
      await setup.untilState('waiting');
      await setup.advance(20_000);
    }
    await setup.untilState('open');
    const asked = twin.questions.filter(isListing).length;
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThanOrEqual(8);
  });
});
