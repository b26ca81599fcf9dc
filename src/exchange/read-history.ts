import type { Clock, Micros } from '../base/clock.ts';
import type { Candle } from '../domain/candle.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { MarketEventHandler } from '../domain/market-event.ts';
import { closeTimeOf, openTimeOf, timeframes } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';
import type { ExchangeRest } from './exchange.ts';
import { tradePages } from './trade-pages.ts';

/** Where closed candles are stored. */
export interface StoredCandles {
  /** The newest candles that open before `to`, whole ones or not, at most `limit`, newest first. */
  newest(
    instrument: InstrumentName,
    timeframe: Timeframe,
    range: { readonly to: Micros; readonly limit: number },
  ): Promise<readonly Candle[]>;
}

export type HistoryParts = {
  readonly rest: ExchangeRest;
  readonly stored: StoredCandles | undefined;
  readonly handle: MarketEventHandler;
  readonly clock: Clock;
  /** What the exchange's clock shows. */
  readonly exchangeTime: () => Micros;
  readonly bounds: HistoryBounds;
};

export type HistoryBounds = {
  /** Closed candles of each timeframe that are there after a first start. */
  readonly historyCandles: number;
  /** What was missed longer ago than this is not asked for. */
  readonly horizonMs: number;
  /** What was missed within this is asked for trade by trade, before it as klines. */
  readonly tradesHorizonMs: number;
};

/** A day of seconds and some: what is older has been looked at before. */
const maximumStored = 100_000;
/** 70 minutes, as the market retains them. */
const shownSeconds = 4200;
/**
 * Where there are no klines, what was missed within this is asked for trade by trade: of a busy
 * symbol some 300,000, which are held in memory together.
 */
const reachWithoutKlinesMs = 86_400_000;
/** A kline may be amended for a moment after its end. */
const settleTime: Micros = 2_000_000;

/**
 * Reads what happened before and while nobody was looking: what is stored, then the trades since the
 * last whole stored second (without one, since the minute began), then the exchange's klines for
 * whatever else is not stored whole. `since` asks for no more than what came after it. What an
 * exchange cannot tell, trades or klines, stays unknown.
 * @throws RestError, what the store says, or the signal's reason
 */
export async function readHistory(
  parts: HistoryParts,
  instrument: InstrumentName,
  since: Micros | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { rest, handle, exchangeTime, bounds } = parts;
  const now = exchangeTime();
  const seconds = await readStored(parts, instrument, '1s', { to: now, limit: 1 });
  const checkpoint = since ?? seconds[0]?.closeTime ?? now;
  // Klines that are not settled yet are not read: the trades reach back to before them.
  const settled = Math.min(checkpoint, now - settleTime);
  const reachMs =
    rest.facts.klines === 'whole'
      ? bounds.tradesHorizonMs
      : Math.min(bounds.horizonMs, reachWithoutKlinesMs);
  const tradesFrom = openTimeOf('1m', Math.max(settled, now - reachMs * 1000));
  const hasTrades = rest.facts.backfill !== 'none';
  const trades = hasTrades ? await readTrades(parts, instrument, tradesFrom, signal) : [];
  const receivedTime = parts.clock.now();
  if (hasTrades) {
    handle({ type: 'recoveredTrades', instrument, trades, wholeFrom: tradesFrom, receivedTime });
  }
  // What it does not tell between two of its trades the exchange has not got.
  const isNothingMissing = rest.facts.idOrder !== 'contiguous';
  for (const [index, { id }] of trades.entries()) {
    const firstId = id + 1;
    const lastId = (trades[index + 1]?.id ?? 0) - 1;
    if (lastId < firstId) continue;
    handle({ type: 'absentTrades', instrument, firstId, lastId, isNothingMissing });
  }

  let from = tradesFrom;
  for (const timeframe of timeframes) {
    const span = { now, tradesFrom, since };
    const first = await readCandles(parts, instrument, timeframe, span, signal);
    from = Math.min(from, first ?? from);
  }
  // Without klines nothing holds the trades that are missing from before.
  const areSettled = rest.facts.klines === 'whole';
  const settledBefore = areSettled ? tradesFrom : 0;
  const settledBelowId = areSettled ? trades[0]?.id : undefined;
  handle({ type: 'historyRead', instrument, from, settledBefore, settledBelowId });
}

type Span = {
  readonly now: Micros;
  /** All trades from here on are known. */
  readonly tradesFrom: Micros;
  readonly since: Micros | undefined;
};

/**
 * Tells the closed candles of a timeframe that began before the trades do: those that are stored
 * whole, and the exchange's klines for the others.
 * @returns the open time of the earliest that was not stored
 */
async function readCandles(
  parts: HistoryParts,
  instrument: InstrumentName,
  timeframe: Timeframe,
  span: Span,
  signal: AbortSignal,
): Promise<Micros | undefined> {
  const { handle, rest, bounds } = parts;
  const [newest] = await readStored(parts, instrument, timeframe, { to: span.now, limit: 1 });
  const expected = expectedOpenTimes(timeframe, span, newest?.closeTime, bounds);
  const shown = timeframe === '1s' ? shownSeconds : bounds.historyCandles;
  // More than an hour of seconds: readers that come from another run are given the last hour again.
  const limit = Math.min(Math.max(expected.length, shown) + 1, maximumStored);
  const all = await readStored(parts, instrument, timeframe, { to: span.now, limit });
  const stored = all.filter(isWhole);
  const isAll = all.length < limit;
  handle({ type: 'knownCandles', instrument, timeframe, candles: stored, isStored: true, isAll });

  if (rest.facts.klines === 'none') return undefined;
  const known = new Set(stored.map(({ openTime }) => openTime));
  const lacking = new Set(expected.filter((openTime) => !known.has(openTime)));
  if (lacking.size === 0) return undefined;
  const sorted = [...lacking].toSorted((a, b) => a - b);
  const [from = 0] = sorted;
  const to = (sorted.at(-1) ?? from) + 1;
  const { symbol } = splitInstrumentName(instrument);
  const klines = await rest.klines(symbol, timeframe, { from, to }, signal);
  const candles = klines.filter(({ openTime }) => lacking.has(openTime));
  handle({ type: 'knownCandles', instrument, timeframe, candles, isStored: false });
  return from;
}

/** The newest stored candles, the newest first. */
async function readStored(
  { stored }: HistoryParts,
  instrument: InstrumentName,
  timeframe: Timeframe,
  range: { readonly to: Micros; readonly limit: number },
): Promise<readonly Candle[]> {
  return (await stored?.newest(instrument, timeframe, range)) ?? [];
}

const isWhole = ({ isComplete, isPartial }: Candle) => isComplete && !isPartial;

/** All trades from `fromTime` up to now. */
async function readTrades(
  { rest, exchangeTime }: HistoryParts,
  instrument: InstrumentName,
  fromTime: Micros,
  signal: AbortSignal,
): Promise<readonly Trade[]> {
  const { symbol } = splitInstrumentName(instrument);
  const trades: Trade[] = [];
  const span = { fromTime, toTime: exchangeTime() + 60_000_000 };
  for await (const page of tradePages(rest, symbol, span, signal)) {
    for (const trade of page) trades.push(trade);
  }
  return trades;
}

/** The closed candles that began before the trades do, the newest first: as many as are wanted. */
function expectedOpenTimes(
  timeframe: Timeframe,
  { now, tradesFrom, since }: Span,
  newest: Micros | undefined,
  { historyCandles, horizonMs }: HistoryBounds,
): Micros[] {
  // Back to what is stored, or to what was missed, where that is further; not beyond the horizon.
  const oldest = Math.max(Math.min(newest ?? Infinity, since ?? Infinity), now - horizonMs * 1000);
  const openTimes: Micros[] = [];
  for (
    let openTime = openTimeOf(timeframe, tradesFrom - 1);
    openTime > 0 && (openTimes.length < historyCandles || openTime >= oldest);
    openTime = openTimeOf(timeframe, openTime - 1)
  ) {
    if (closeTimeOf(timeframe, openTime) <= now - settleTime) openTimes.push(openTime);
  }
  return openTimes;
}
