import { expect } from 'vitest';
import type { Micros } from '../../src/base/clock.ts';
import { timeframes } from '../../src/domain/timeframe.ts';
import type { Timeframe } from '../../src/domain/timeframe.ts';
import { compareVersions } from '../../src/domain/candle.ts';
import type { Candle } from '../../src/domain/candle.ts';
import type { Trade } from '../../src/domain/trade.ts';
import type { Market } from '../../src/market/market.ts';
import type { PriceBook } from '../../src/market/price-book.ts';
import type { StoredPrices } from '../../src/market/price-history.ts';
import type { PriceStatistics } from '../../src/market/price-statistics.ts';
import { aBookTicker, aTrade } from '../support/builders.ts';
import { TwinClock } from '../support/twin-clock.ts';
import { modelCoverage, modelStatistics, modelUnion, modelWindow } from './price-model.ts';
import type { PricedTrade } from './price-model.ts';
import { exchanges } from './price-scenario.ts';
import type { PriceScenario, PriceStep } from './price-scenario.ts';

export type Engine = { readonly Market: typeof Market; readonly PriceBook: typeof PriceBook };

/** Where closed candles go, and come from: as Postgres keeps them, the best version of each. */
export interface CandleShelf {
  add(candle: Candle): void;
  /** Waits until all that was added is stored. */
  settle(): Promise<void>;
  readonly stored: StoredPrices;
}

/** A shelf in memory. */
export function openShelf(): CandleShelf {
  const kept = new Map<string, Candle>();
  return {
    add: (candle) => {
      const key = `${candle.instrument} ${candle.timeframe} ${candle.openTime}`;
      const other = kept.get(key);
      if (other === undefined || compareVersions(candle, other) > 0) kept.set(key, candle);
    },
    settle: () => Promise.resolve(),
    stored: {
      newest: (instrument, timeframe, { from, to, limit }) =>
        Promise.resolve(
          [...kept.values()]
            .filter((each) => each.instrument === instrument && each.timeframe === timeframe)
            .filter(({ openTime }) => openTime >= from && openTime < to)
            .toSorted((a, b) => b.openTime - a.openTime)
            .slice(0, limit),
        ),
    },
  };
}

const symbol = 'BTCUSDT';
/** Short, so that most windows reach beyond it; trades come late by less. */
const limits = { secondsRetentionMs: 60_000, retentionMs: 600_000 };

/** Plays a scenario and holds every answer against the model's. */
export async function checkPrices(
  engine: Engine,
  { steps, restartAfter }: PriceScenario,
  shelf: CandleShelf,
  symbolName = symbol,
): Promise<void> {
  const instruments = exchanges.map((exchange) => `${exchange}:${symbolName}`);
  const clock = new TwinClock(steps[0]?.at ?? 0);
  const known: PricedTrade[] = [];
  const heard = new Map<string, Micros>();
  let isFirstLife = true;
  let life = startLife(engine, 1, { instruments, shelf, clock });
  for (const [index, step] of steps.entries()) {
    clock.moveTo(Math.max(clock.now(), step.at));
    if (index === restartAfter) {
      await shelf.settle();
      isFirstLife = false;
      // The exchange tells of all that has happened, also of what is on its way still.
      known.push(...tradesOf(steps).filter(({ time }) => time <= clock.now()));
      life = startLife(engine, 2, { instruments, shelf, clock });
      await recover(life.market, { instruments, shelf, known, now: clock.now() });
    }
    if (step.type === 'trade') known.push(step.trade);
    for (const exchange of step.type === 'trade' ? [step.trade.exchange] : exchanges) {
      if (step.type !== 'question') heard.set(exchange, clock.now());
    }
    if (step.type !== 'question') {
      life.take(step);
      continue;
    }
    const asked = { seconds: step.period, known, shelf, clock };
    await checkAnswers(life.book, instruments, {
      ...asked,
      heard: isFirstLife ? heard : undefined,
    });
  }
  // All that was traded has closed: what is stored says the same to a server that has heard nothing.
  const deaf = { stateOf: () => undefined, exchangeTime: () => clock.now() };
  const bare = new engine.PriceBook({ market: deaf, stored: shelf.stored, clock });
  for (const seconds of [30, 3_600]) {
    await checkAnswers(bare, instruments, { seconds, known, shelf, clock });
  }
}

function tradesOf(steps: readonly PriceStep[]): PricedTrade[] {
  return steps.flatMap((step) => (step.type === 'trade' ? [step.trade] : []));
}

type Parts = {
  readonly instruments: readonly string[];
  readonly shelf: CandleShelf;
  readonly clock: TwinClock;
};

function startLife({ Market, PriceBook }: Engine, run: number, parts: Parts) {
  const { instruments, shelf, clock } = parts;
  const market = new Market({
    run,
    limits,
    publish: (update) => {
      if (update.type === 'candle' && update.candle.isClosed) shelf.add(update.candle);
    },
  });
  const book = new PriceBook({ market, stored: shelf.stored, clock });
  let updateId = 0;
  const frame = () => {
    for (const instrument of instruments) {
      market.handle(aBookTicker({ instrument, updateId: ++updateId, receivedTime: clock.now() }));
    }
  };
  for (const instrument of instruments) {
    const opened = { type: 'connectionOpened', connection: instrument } as const;
    market.handle({ ...opened, instruments: [instrument], receivedTime: clock.now() });
  }
  return {
    market,
    book,
    take: (step: Exclude<PriceStep, { type: 'question' }>) => {
      if (step.type === 'frame') frame();
      else market.handle(tradeOf(step.trade, instruments, clock.now()));
    },
  };
}

/** Tells what was stored and what was traded since, as a server's recovery does. */
async function recover(
  market: Market,
  parts: {
    readonly instruments: readonly string[];
    readonly shelf: CandleShelf;
    readonly known: readonly PricedTrade[];
    readonly now: number;
  },
): Promise<void> {
  const { instruments, shelf, known, now } = parts;
  for (const instrument of instruments) {
    const own = known.filter(({ exchange }) => instrument.startsWith(`${exchange}:`));
    const newest = (timeframe: Timeframe) =>
      shelf.stored.newest(instrument, timeframe, { from: 0, to: now, limit: 50 });
    const [second] = await newest('1s');
    // Late ones may be missing from what is stored: it goes back by more than they are late.
    const since = second?.closeTime ?? Math.min(now, ...own.map(({ time }) => time));
    const wholeFrom = Math.floor((since - 30e6) / 60e6) * 60e6;
    const trades = [...new Map(own.map((each) => [each.id, each])).values()]
      .filter(({ time }) => time >= wholeFrom)
      .toSorted((a, b) => a.id - b.id)
      .map((trade) => tradeOf(trade, instruments, now));
    market.handle({ type: 'recoveredTrades', instrument, trades, wholeFrom, receivedTime: now });
    for (const timeframe of timeframes) {
      const candles = (await newest(timeframe)).filter(
        (each) => each.isComplete && !each.isPartial,
      );
      const told = { type: 'knownCandles', instrument, timeframe, candles } as const;
      market.handle({ ...told, isStored: true, isAll: false });
    }
    const settled = { settledBefore: wholeFrom, settledBelowId: trades[0]?.id };
    market.handle({ type: 'historyRead', instrument, from: wholeFrom, ...settled });
    // The exchange's word on the last trade: nothing has been missed since.
    const trade = trades.at(-1);
    if (trade !== undefined) {
      market.handle({ type: 'lastTrade', trade, askedTime: now, receivedTime: now });
    }
  }
}

function tradeOf(trade: PricedTrade, instruments: readonly string[], receivedTime: number): Trade {
  const { exchange, id, time, singles } = trade;
  return {
    ...aTrade({
      instrument: instruments.find((name) => name.startsWith(`${exchange}:`)) ?? '',
      id,
      exchangeTime: time,
      eventTime: receivedTime,
      receivedTime,
      firstTradeId: id * 10,
      lastTradeId: id * 10 + singles - 1,
    }),
    price: trade.price,
    quantity: trade.quantity,
  };
}

async function checkAnswers(
  book: PriceBook,
  instruments: readonly string[],
  asked: {
    readonly seconds: number;
    readonly known: readonly PricedTrade[];
    readonly shelf: CandleShelf;
    readonly clock: TwinClock;
    /** When each exchange was heard last, where what is covered is foreseen. */
    readonly heard?: ReadonlyMap<string, Micros> | undefined;
  },
): Promise<void> {
  const { seconds, known, shelf, clock, heard } = asked;
  const window = modelWindow(seconds, clock.now());
  await shelf.settle();
  for (const some of [...instruments.map((name) => [name]), instruments]) {
    const answer = book.statistics(some, seconds * 1_000_000);
    const isHeld = !(answer instanceof Promise);
    const statistics = await answer;
    const own = known.filter(({ exchange }) =>
      some.some((name) => name.startsWith(`${exchange}:`)),
    );
    const expected = modelStatistics(own, window.from, window.to);
    const { first, last, change, changePercent, ...rest } = numbersOf(statistics);
    const what = `${some.join()} over ${seconds} s up to ${window.to}`;
    expect(statistics.window, what).toEqual(window);
    expect({ ...rest }, what).toEqual(without(expected));
    if (heard !== undefined) {
      const parts = some.map((name) => {
        const exchange = name.slice(0, name.indexOf(':'));
        const ofExchange = own.filter((trade) => trade.exchange === exchange);
        const now = clock.now();
        return modelCoverage(ofExchange, window, { now, heard: heard.get(exchange) ?? 0 });
      });
      const { isComplete, from, to } = modelUnion(parts, window);
      const told = { isComplete: statistics.isComplete, from: statistics.from, to: statistics.to };
      expect(told, what).toEqual({
        isComplete: isComplete ?? told.isComplete,
        from: from ?? told.from,
        to: to ?? told.to,
      });
    }
    // Of several exchanges' first trades a stored candle does not say which was the earlier.
    if (some.length > 1 && !(isHeld && heard !== undefined)) continue;
    expect({ first, last, change, changePercent }, what).toEqual({
      first: expected.first,
      last: expected.last,
      change: expected.change,
      changePercent: expected.changePercent,
    });
    if (statistics.isComplete) expect(statistics.from, what).toBe(window.from);
  }
}

function numbersOf({ first, last, highest, lowest, ...rest }: PriceStatistics) {
  return {
    first: first?.price,
    last: last?.price,
    highest: highest?.price,
    lowest: lowest?.price,
    average: rest.average,
    volumeWeightedAverage: rest.volumeWeightedAverage,
    change: rest.change,
    changePercent: rest.changePercent,
    tradeCount: rest.tradeCount,
    volume: rest.volume,
    quoteVolume: rest.quoteVolume,
  };
}

function without(expected: ReturnType<typeof modelStatistics>) {
  const { first: _1, last: _2, change: _3, changePercent: _4, ...rest } = expected;
  return rest;
}
