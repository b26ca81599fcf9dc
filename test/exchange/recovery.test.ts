import { expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import type { Gap } from '../../src/domain/gap.ts';
import type { MarketEvent } from '../../src/domain/market-event.ts';
import type { Trade } from '../../src/domain/trade.ts';
import type { Micros } from '../../src/base/clock.ts';
import { binance } from '../../src/exchange/binance.ts';
import { coinbase } from '../../src/exchange/coinbase.ts';
import type { ExchangeFacts, ExchangeRest } from '../../src/exchange/exchange.ts';
import { kraken } from '../../src/exchange/kraken.ts';
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
  readonly facts?: ExchangeFacts;
  readonly lacks?: readonly number[];
  readonly stored?: StoredCandles;
  readonly isRefusing?: () => boolean;
}) {
  const clock = new TwinClock(at(100_000));
  const events: MarketEvent[] = [];
  const asked: number[] = [];
  const askedTimes: [from: Micros, to: Micros][] = [];
  const rest: Partial<ExchangeRest> = {
    facts: options.facts ?? binance.facts,
    tradesPerAnswer: 1000,
    trades: (_symbol, from) => {
      if (options.isRefusing?.() === true) return Promise.reject(new RestError('failed', 'no'));
      if (!('fromId' in from)) {
        askedTimes.push([from.fromTime, from.toTime]);
        const told = options.facts?.backfill === 'byTime' ? pageSince(from.fromTime) : [];
        return Promise.resolve(told.filter(({ exchangeTime }) => exchangeTime <= from.toTime));
      }
      asked.push(from.fromId);
      const page: Trade[] = [];
      for (let id = from.fromId; id <= 5000 && page.length < 1000; id++) {
        if (options.lacks?.includes(id) !== true) page.push(aTrade({ id, exchangeTime: at(id) }));
      }
      return Promise.resolve(page);
    },
    klines: () => Promise.resolve([]),
  };
  /** Trade n is at n ms. */
  function pageSince(time: Micros): readonly Trade[] {
    const first = Math.max(1, Math.ceil((time - at(0)) / 1000));
    return ids(first, Math.min(first + 999, 5000))
      .filter((id) => options.lacks?.includes(id) !== true)
      .map((id) => aTrade({ id, exchangeTime: at(id) }));
  }
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
  const absent = () => events.filter((event) => event.type === 'absentTrades');
  return { recovery, clock, events, asked, askedTimes, recovered, absent };
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

test('where trades are told by time, a gap is asked for by its time, and what is not told never was', async () => {
  const { recovery, asked, askedTimes, recovered, absent } = openRecovery({
    facts: kraken.facts,
    lacks: [102, 103],
  });
  recovery.fill(aGap(100, 104));
  await eventually(() => expect(recovery.busy).toBe(0));
  expect(asked).toEqual([]);
  expect(askedTimes).toEqual([[at(99), at(105)]]);
  expect(recovered()).toEqual([100, 101, 104]);
  expect(absent()).toMatchObject([{ firstId: 102, lastId: 103, isNothingMissing: true }]);
});

test('more trades than an answer holds are asked for from the last one’s time on, told once', async () => {
  const { recovery, askedTimes, recovered } = openRecovery({ facts: kraken.facts });
  recovery.fill(aGap(100, 2599));
  await eventually(() => expect(recovery.busy).toBe(0));
  expect(askedTimes.map(([from]) => from)).toEqual([at(99), at(1098), at(2097)]);
  expect(recovered()).toEqual(ids(100, 2599));
});

test('where ids prove nothing, the trades of the last minutes are read again, with or without a store', async () => {
  const { recovery, askedTimes, clock } = openRecovery({ facts: kraken.facts });
  recovery.opened([instrument]);
  await eventually(() => expect(askedTimes).toHaveLength(1));
  await eventually(() => expect(recovery.busy).toBe(0));
  for (let minute = 1; minute <= 3; minute++) {
    const before = clock.now();
    await clock.advance(60_000);
    await eventually(() => expect(askedTimes).toHaveLength(1 + minute));
    await eventually(() => expect(recovery.busy).toBe(0));
    expect(askedTimes.at(-1)?.[0]).toBeLessThanOrEqual(before);
  }
  await recovery[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});

test('where ids are contiguous and nothing is stored, nothing is read again', async () => {
  const { recovery, askedTimes, clock } = openRecovery({});
  recovery.opened([instrument]);
  await eventually(() => expect(askedTimes).toHaveLength(1));
  await clock.advance(1_800_000, 60_000);
  expect(askedTimes).toHaveLength(1);
});

test('an exchange that tells no trades is not asked: its gaps stay', async () => {
  const facts: ExchangeFacts = { ...binance.facts, idOrder: 'none', backfill: 'none' };
  const { recovery, asked, askedTimes, absent, events } = openRecovery({ facts });
  recovery.opened([instrument]);
  recovery.fill(aGap(7, 9));
  await eventually(() => expect(recovery.busy).toBe(0));
  expect([asked, askedTimes]).toEqual([[], []]);
  expect(absent()).toMatchObject([{ firstId: 7, lastId: 9, isNothingMissing: false }]);
  expect(events.some(({ type }) => type === 'recoveredTrades')).toBe(false);
});

test.each([
  ['klines as one history', binance.facts, []],
  ['trades alone by its trades', coinbase.facts, [100]],
])('a gap from long ago is mended of an exchange that has %s', async (_name, facts, asks) => {
  const { recovery, asked, clock } = openRecovery({ facts });
  clock.moveTo(at(86_400_000));
  recovery.fill(aGap(100, 104));
  await eventually(() => expect(recovery.busy).toBe(0));
  expect(asked).toEqual(asks);
});
