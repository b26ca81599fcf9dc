import { expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import type { Gap } from '../../src/domain/gap.ts';
import type { MarketEvent } from '../../src/domain/market-event.ts';
import type { Trade } from '../../src/domain/trade.ts';
import { binance } from '../../src/exchange/binance.ts';
import type { ExchangeRest } from '../../src/exchange/exchange.ts';
import type { StoredCandles } from '../../src/exchange/read-history.ts';
import { Recovery } from '../../src/exchange/recovery.ts';
import { RestError } from '../../src/exchange/rest-error.ts';
import { aTrade } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { at } from '../support/market-tape.ts';
import { TwinClock } from '../support/twin-clock.ts';

const instrument = 'binance:BTCUSDT';

/** An exchange that has the trades 1 … 5,000 but for some, and what was asked of it. */
function openRecovery(options: {
  readonly lacks?: readonly number[];
  readonly stored?: StoredCandles;
  readonly isRefusing?: () => boolean;
}) {
  const clock = new TwinClock(at(100_000));
  const events: MarketEvent[] = [];
  const asked: number[] = [];
  const rest: Partial<ExchangeRest> = {
    facts: binance.facts,
    tradesPerAnswer: 1000,
    trades: (_symbol, from) => {
      if (options.isRefusing?.() === true) return Promise.reject(new RestError('failed', 'no'));
      if (!('fromId' in from)) return Promise.resolve([]);
      asked.push(from.fromId);
      const page: Trade[] = [];
      for (let id = from.fromId; id <= 5000 && page.length < 1000; id++) {
        if (options.lacks?.includes(id) !== true) page.push(aTrade({ id, exchangeTime: at(id) }));
      }
      return Promise.resolve(page);
    },
    klines: () => Promise.resolve([]),
  };
  const recovery = new Recovery({
    rest: rest as ExchangeRest,
    stored: options.stored,
    handle: (event) => events.push(event),
    exchangeTime: () => clock.now(),
    bounds: { historyCandles: 2, horizonMs: 86_400_000, tradesHorizonMs: 7_200_000 },
    reconcilePeriodMs: 600_000,
    clock,
    logger: silentLogger,
    random: () => 1,
  });
  const recovered = () =>
    events.flatMap((event) =>
      event.type === 'recoveredTrades' ? event.trades.map(({ id }) => id) : [],
    );
  return { recovery, clock, events, asked, recovered };
}

const aGap = (first: number, last: number): Gap => ({
  type: 'gap',
  instrument,
  firstMissingId: first,
  lastMissingId: last,
  fromTime: at(first - 1),
  toTime: at(last + 1),
  state: 'open',
});

const ids = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

test('a large gap is filled page by page, each told as it comes', async () => {
  const { recovery, asked, events, recovered } = openRecovery({});
  recovery.fill(aGap(100, 2599));
  await eventually(() => expect(recovered()).toEqual(ids(100, 2599)));
  expect(asked).toEqual([100, 1100, 2100]);
  expect(events.filter(({ type }) => type === 'recoveredTrades')).toHaveLength(3);
  await recovery[Symbol.asyncDispose]();
});

test('what the exchange has not got is told as absent, once, and is not asked for again', async () => {
  const { recovery, events, recovered, asked } = openRecovery({ lacks: [100, 104, 105, 110] });
  recovery.fill(aGap(100, 110));
  await eventually(() =>
    expect(events.filter(({ type }) => type === 'absentTrades')).toHaveLength(3),
  );
  expect(recovered()).toEqual([101, 102, 103, 106, 107, 108, 109]);
  expect(events.filter(({ type }) => type === 'absentTrades')).toMatchObject([
    { firstId: 100, lastId: 100 },
    { firstId: 104, lastId: 105 },
    { firstId: 110, lastId: 110 },
  ]);
  expect(asked).toEqual([100]);
  await recovery[Symbol.asyncDispose]();
});

test('an exchange that does not answer is asked again, with back-off, until it does', async () => {
  let isRefusing = true;
  const { recovery, clock, recovered } = openRecovery({ isRefusing: () => isRefusing });
  recovery.fill(aGap(7, 8));
  await clock.advance(5_000, 500);
  expect(recovered()).toEqual([]);
  isRefusing = false;
  await clock.advance(60_000, 1_000);
  await eventually(() => expect(recovered()).toEqual([7, 8]));
  await recovery[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});

test('a store that is away stops the history, and no gap', async () => {
  const stored = { newest: () => Promise.reject(new Error('down')) };
  const { recovery, recovered, clock } = openRecovery({ stored });
  recovery.opened([instrument]);
  await clock.advance(100, 50);
  recovery.fill(aGap(7, 8));
  await eventually(() => expect(recovered()).toEqual([7, 8]));
  await recovery[Symbol.asyncDispose]();
});

test('who waits for the history waits until it has been read, or for a bounded time', async () => {
  let answer = (): void => {};
  const isAnswered = new Promise<void>((resolve) => (answer = resolve));
  const stored = { newest: () => isAnswered.then(() => []) };
  const { recovery, clock } = openRecovery({ stored });
  recovery.opened([instrument]);
  const { signal } = new AbortController();
  let waits = 2;
  void recovery.whenRead(signal).then(() => waits--);
  await clock.advance(15_100, 15_100);
  await eventually(() => expect(waits).toBe(1));
  void recovery.whenRead(signal).then(() => waits--);
  answer();
  await eventually(() => expect(waits).toBe(0));
  await recovery[Symbol.asyncDispose]();
});

test('more gaps than can wait are read as one history', async () => {
  const stored = { newest: () => new Promise<never>(() => {}) };
  const { recovery, events } = openRecovery({ stored, isRefusing: () => true });
  for (let gap = 1; gap <= 120; gap++) recovery.fill(aGap(gap * 10, gap * 10 + 1));
  expect(recovery.busy).toBe(1);
  expect(events).toEqual([]);
});
