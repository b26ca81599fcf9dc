import type { Micros } from '../base/clock.ts';
import type { BookTicker } from './book-ticker.ts';
import type { Candle } from './candle.ts';
import type { InstrumentName } from './instrument.ts';
import type { Kline } from './kline.ts';
import type { Timeframe } from './timeframe.ts';
import type { Trade } from './trade.ts';

/**
 * What the ids of trades show. contiguous: within an instrument, a trade's id is the one before plus
 * one, so that a hole proves a loss · monotonic: ids rise and may leave some out, so that a hole
 * proves nothing as long as the connection holds · none: ids prove nothing.
 */
export type IdOrder = 'contiguous' | 'monotonic' | 'none';

/**
 * A connection to an exchange is up and its subscriptions are accepted: from now on it delivers
 * every trade and book ticker of these instruments. Whether some were missed before is not known.
 */
export type ConnectionOpened = {
  readonly type: 'connectionOpened';
  /** Names the connection, unique within the process. */
  readonly connection: string;
  readonly instruments: readonly InstrumentName[];
  /** What the exchange promises of its ids; default: contiguous. */
  readonly idOrder?: IdOrder;
  readonly receivedTime: Micros;
};

/** A connection is gone: trades may be missed from now on. */
export type ConnectionLost = {
  readonly type: 'connectionLost';
  readonly connection: string;
  /** Why, in words for people. */
  readonly reason: string;
  readonly receivedTime: Micros;
};

/**
 * The exchange was asked (over REST, after `connectionOpened`) for an instrument's last trade, and
 * this was it. It proves that nothing was missed when all ids up to it have been seen, shows a gap
 * when not, and is the first known price of an instrument that has not traded yet.
 */
export type LastTrade = {
  readonly type: 'lastTrade';
  readonly trade: Trade;
  /** When the question was sent: the answer is at least as new as this. */
  readonly askedTime: Micros;
  readonly receivedTime: Micros;
};

/** Trades that were asked for because they were missing, lowest id first. */
export type RecoveredTrades = {
  readonly type: 'recoveredTrades';
  readonly instrument: InstrumentName;
  readonly trades: readonly Trade[];
  /** Set when these are all trades from this time up to those that are known: none is missing since. */
  readonly wholeFrom: Micros | undefined;
  readonly receivedTime: Micros;
};

/** The exchange has not got these trades either, first and last included. */
export type AbsentTrades = {
  readonly type: 'absentTrades';
  readonly instrument: InstrumentName;
  readonly firstId: number;
  readonly lastId: number;
  /** Where its ids leave some out: there never were such trades, so that nothing is missing. */
  readonly isNothingMissing?: boolean;
};

/** Closed candles from elsewhere, each whole: the exchange's klines, or what is stored. */
export type KnownCandles = {
  readonly type: 'knownCandles';
  readonly instrument: InstrumentName;
  readonly timeframe: Timeframe;
} & (
  | { readonly isStored: false; readonly candles: readonly Kline[] }
  /** What is stored is not published again. */
  | {
      readonly isStored: true;
      readonly candles: readonly Candle[];
      /** Whether nothing earlier is stored. */
      readonly isAll: boolean;
    }
);

/**
 * All that is to be known of the time from `from` on has been told: candles that began before the
 * observation can now be put together from shorter ones.
 */
export type HistoryRead = {
  readonly type: 'historyRead';
  readonly instrument: InstrumentName;
  readonly from: Micros;
  /** Missing trades from before this time are in the candles that were told … */
  readonly settledBefore: Micros;
  /** … and so are those below this id, the first trade since then, where there is one. */
  readonly settledBelowId: number | undefined;
};

/** What was asked for because it was missed. */
export type HistoryEvent = RecoveredTrades | AbsentTrades | KnownCandles | HistoryRead;

/** What an exchange's adapter tells the market, in the order in which it happened. */
export type MarketEvent =
  | Trade
  | BookTicker
  | ConnectionOpened
  | ConnectionLost
  | LastTrade
  | HistoryEvent;

/** Takes events synchronously; by its return everything that follows from the event has happened. */
export type MarketEventHandler = (event: MarketEvent) => void;
