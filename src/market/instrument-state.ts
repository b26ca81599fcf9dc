import type { Micros } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { IdOrder } from '../domain/market-event.ts';
import type { Trade } from '../domain/trade.ts';
import type { CandleSeries } from './candle-series.ts';
import type { ExchangeClock } from './exchange-clock.ts';

/** One connection of an exchange's feed, as the market sees it. */
export type Connection = {
  /** All of one exchange. */
  readonly instruments: readonly InstrumentName[];
  isOpen: boolean;
  /** Why it is not open. */
  reason: string;
  /** When its last data frame came; undefined before the first. */
  lastDataTime: Micros | undefined;
  /** The exchange time at which the next second of its instruments can close. */
  nextDue: Micros;
};

/** What the market holds of one instrument. */
export type InstrumentState = {
  readonly name: InstrumentName;
  readonly series: CandleSeries;
  /** Its exchange's. */
  readonly clock: ExchangeClock;
  connection: Connection | undefined;
  /** What its exchange promises of the ids of trades. */
  idOrder: IdOrder;
  /**
   * Whether it is known which trades were missed, if any, up to the last frame: false from the
   * (re)connect to the first trade or the exchange's word on the last one. Nothing closes meanwhile.
   */
  isContinuous: boolean;
  /** When the exchange was last asked for the last trade, and answered. */
  lastProbeTime: Micros | undefined;
  /** The last by (exchange time, id). */
  lastTrade: Trade | undefined;
  bookTicker: BookTicker | undefined;
  tradesReceived: number;
  /** The last trade whose time could not be, and by how much it was ahead of the exchange's clock. */
  implausible: { readonly receivedTime: Micros; readonly ahead: Micros } | undefined;
};

export function newConnection(instruments: readonly InstrumentName[]): Connection {
  return { instruments, isOpen: true, reason: '', lastDataTime: undefined, nextDue: 0 };
}

export function newState(
  name: InstrumentName,
  series: CandleSeries,
  clock: ExchangeClock,
): InstrumentState {
  return {
    name,
    series,
    clock,
    connection: undefined,
    idOrder: 'contiguous',
    isContinuous: false,
    lastProbeTime: undefined,
    lastTrade: undefined,
    bookTicker: undefined,
    tradesReceived: 0,
    implausible: undefined,
  };
}

/** How an instrument's feed is; see tradewind.market.v1.FeedState. */
export type FeedState = 'live' | 'quiet' | 'stale' | 'gap' | 'down';

export type InstrumentStatus = {
  readonly instrument: InstrumentName;
  readonly state: FeedState;
  /** Why, in words; empty while live. */
  readonly reason: string;
  readonly lastTrade: Trade | undefined;
  readonly tradesReceived: number;
  readonly tradesMissing: number;
};

/** Without data or proof for this long an open connection is stale: probes come every 2 s. */
const staleAfter = 10_000_000;
/** Without a trade for this long an instrument is quiet. */
const quietAfter = 60_000_000;

export function statusOf(state: InstrumentState, now: Micros): InstrumentStatus {
  const tradesMissing = state.series.ids.missing;
  return {
    instrument: state.name,
    ...feedStateOf(state, tradesMissing, now),
    lastTrade: state.lastTrade,
    tradesReceived: state.tradesReceived,
    tradesMissing,
  };
}

function feedStateOf(
  { connection, isContinuous, lastProbeTime, lastTrade, implausible }: InstrumentState,
  tradesMissing: number,
  now: Micros,
): { state: FeedState; reason: string } {
  if (connection?.isOpen !== true) return { state: 'down', reason: outageOf(connection) ?? '' };
  const heard = Math.max(connection.lastDataTime ?? 0, lastProbeTime ?? 0);
  if (implausible !== undefined && now - implausible.receivedTime < staleAfter) {
    const seconds = Math.round(implausible.ahead / 1e6);
    const reason = `Trades are ${seconds} s ahead of our clock and are left out: is it right?`;
    return { state: 'stale', reason };
  }
  if (!isContinuous || now - heard > staleAfter) {
    return { state: 'stale', reason: 'Connected, but nothing shows yet that no trade was missed' };
  }
  if (tradesMissing > 0) return { state: 'gap', reason: `${tradesMissing} trades are missing` };
  if (lastTrade === undefined || now - lastTrade.receivedTime > quietAfter) {
    return { state: 'quiet', reason: 'No trade for more than a minute, and none is missing' };
  }
  return { state: 'live', reason: '' };
}

/** Why a connection delivers nothing, in words; undefined while it is open. */
export function outageOf(connection: Connection | undefined): string | undefined {
  if (connection === undefined) return 'Not connected yet';
  return connection.isOpen ? undefined : connection.reason;
}

/** Trades are ordered by exchange time, then by id. */
export function isAfter(a: Trade, b: Trade): boolean {
  return a.exchangeTime > b.exchangeTime || (a.exchangeTime === b.exchangeTime && a.id > b.id);
}
