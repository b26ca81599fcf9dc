import type { Micros } from '../base/clock.ts';
import type { BookTicker } from './book-ticker.ts';
import type { InstrumentName } from './instrument.ts';
import type { Trade } from './trade.ts';

/**
 * A connection to an exchange is up and its subscriptions are accepted: from now on it delivers
 * every trade and book ticker of these instruments. Whether some were missed before is not known.
 */
export type ConnectionOpened = {
  readonly type: 'connectionOpened';
  /** Names the connection, unique within the process. */
  readonly connection: string;
  readonly instruments: readonly InstrumentName[];
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

/** What an exchange's adapter tells the market, in the order in which it happened. */
export type MarketEvent = Trade | BookTicker | ConnectionOpened | ConnectionLost | LastTrade;

/** Takes events synchronously; by its return everything that follows from the event has happened. */
export type MarketEventHandler = (event: MarketEvent) => void;
