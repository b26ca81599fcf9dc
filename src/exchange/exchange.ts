/**
 * What every exchange fulfils. To add one:
 *
 * 1. Read its documentation and write its facts (`ExchangeFacts`) in `src/exchange/<name>.ts`: how
 *    what is missed is found and filled, what its ids promise, its heartbeat, its limits, and whose
 *    side its trades name. What it cannot do is said there, and obeyed by whoever would ask for it.
 * 2. Write its decoder: from a frame's text to the events in it, tolerant of everything new, strict
 *    with every field that is used. Quote a payload and its source at each wire type.
 * 3. Say how its symbols are spelled, how streams are asked for (in the URL or in messages) and how
 *    to ask for the last trade, missed trades, and the order limits.
 * 4. Add it to `registry.ts`, a twin to `test/support/`, and a table of frames to
 *    `test/exchange/<name>/`.
 *
 * Nothing outside that file and its folder knows the exchange's wire format.
 */
import type { Micros } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { ExchangeName, InstrumentLimits } from '../domain/instrument.ts';
import type { Kline } from '../domain/kline.ts';
import type { IdOrder, LastTrade } from '../domain/market-event.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';
import type { BadFrame } from './bad-frame.ts';
import type { FeedAddresses, FeedBounds } from './feed-settings.ts';
import type { RestClient } from './rest-client.ts';

export type Exchange = {
  /** The name of its protocol; the exchange's name in instruments may be another ("sim-binance"). */
  readonly protocol: string;
  readonly facts: ExchangeFacts;
  /** Where its public market data is, unless something else is configured. */
  readonly addresses: FeedAddresses;
  /** Where the usual bounds of a feed do not fit it; what is configured comes before them. */
  readonly bounds?: Partial<FeedBounds>;
  /** The symbol as instruments have it, BTCUSD, from what somebody typed or the exchange wrote. */
  symbolOf(text: string): string;
  /** The same as the exchange itself spells it, for subscribing and asking: BTC-USD. */
  ownSymbolOf(text: string): string;
  /** Spreads symbols over connections, each within the exchange's limits. */
  subscriptions(symbols: readonly string[], options: SubscriptionOptions): readonly Subscription[];
  readonly requests: StreamRequests;
  createDecoder(options: DecoderOptions): Decoder;
  createRest(options: RestOptions): RestQuestions;
};

/** What the exchange promises, for those who rely on it. */
export type ExchangeFacts = {
  /** Whether what was missed shows in the ids of trades. */
  readonly idOrder: IdOrder;
  /** How missed trades can be asked for. */
  readonly backfill: 'byId' | 'byTime' | 'none';
  /**
   * Whether its own candles tell all that ours do, the taker's volumes and the number of trades among
   * it: where they do not, none are asked for, and ours are not held against them.
   */
  readonly klines: 'whole' | 'none';
  /** What shows that a connection lives while there is no data. */
  readonly heartbeat: 'serverPing' | 'applicationPing' | 'channel' | 'none';
  /** Whether subscribing brings trades from before it, which may be known already. */
  readonly subscribeSnapshot: 'none' | 'lastTrades';
  readonly priceEncoding: 'string' | 'number';
  /** How the wire names the aggressor. */
  readonly aggressorRule: 'buyerIsMaker' | 'takerSide' | 'makerSide' | 'none';
  /**
   * Set where prices come alone: there is no volume, no volume-weighted average, and no book to match
   * orders with.
   */
  readonly hasQuantities?: false;
  /** What a book ticker's update id counts: states of the order book, or only the time. */
  readonly updateIds: 'orderBook' | 'time' | 'none';
  readonly limits: {
    /** A connection is cut after this; Infinity where none is known. */
    readonly connectionLifeMs: number;
    readonly streamsPerConnection: number;
    /** What we may send on a connection, heartbeats included. */
    readonly messagesPerSecond: number;
    readonly connectsPer5Minutes: number;
    readonly restWeightPerMinute: number;
    /** Questions within a second, whatever their weight; undefined: as many as the minute allows. */
    readonly restPerSecond: number | undefined;
  };
  /** The REST answer's header that says how much of the weight of this minute is used, if any does. */
  readonly usedWeightHeader: string | undefined;
};

/** The unit of the exchange's integer times. It is configured, never guessed from a value. */
export type TimeUnit = 'millisecond' | 'microsecond';

/** How the exchange spells the symbol of one of a feed's instruments. */
export type OwnSymbol = (symbol: string) => string;

export type SubscriptionOptions = {
  readonly timeUnit: TimeUnit;
  readonly symbolsPerConnection: number;
  readonly ownSymbol: OwnSymbol;
};

/** What one connection is to deliver. */
export type Subscription = {
  /** Path and query, to be put behind the base URL. */
  readonly path: string;
  readonly symbols: readonly string[];
  /** The names of each symbol's streams, as requests and their answers write them. */
  readonly streams: ReadonlyMap<string, readonly string[]>;
};

/** How streams are asked for: in the URL of the connection, or in messages after the connect. */
export type StreamRequests = UrlRequests | MessageRequests;

/**
 * The URL names the streams: they are in force as soon as the connection is open. What can be asked
 * on it is answered by a `response` with the same id.
 */
export type UrlRequests = {
  readonly by: 'url';
  subscribe(id: number, streams: readonly string[]): string;
  unsubscribe(id: number, streams: readonly string[]): string;
  /** Which streams are in force? */
  list(id: number): string;
};

/** Nothing is in force until it was asked for and confirmed (`inForce`, `ended`, `refused`). */
export type MessageRequests = {
  readonly by: 'message';
  subscribe(streams: readonly string[]): readonly string[];
  unsubscribe(streams: readonly string[]): readonly string[];
};

export type DecoderOptions = {
  /** The exchange's name in instruments. */
  readonly exchange: ExchangeName;
  /** Default: millisecond. */
  readonly timeUnit?: TimeUnit;
  /** Frames of other symbols, as instruments have them, are ignored; default: there are no others. */
  readonly symbols?: ReadonlySet<string>;
  /** A time that lies further ahead of the received time is wrong. Default: 10 minutes. */
  readonly maximumAheadMs?: number;
  readonly onControl?: (message: ControlMessage) => void;
  readonly onBadFrame?: (bad: BadFrame) => void;
};

/** What an exchange says about the connection itself. */
export type ControlMessage =
  /** This connection is about to be cut: open another one now. */
  | { readonly type: 'shutdown' }
  /** An answer to something that we sent; `error` is the exchange's text when it is a no. */
  | {
      readonly type: 'response';
      readonly id: string | number | undefined;
      readonly error: string | undefined;
      /** The streams in force, where that was asked. */
      readonly streams?: readonly string[] | undefined;
    }
  /** These streams are delivered from now on; `isAll`: and no others. */
  | { readonly type: 'inForce'; readonly streams: readonly string[]; readonly isAll: boolean }
  /** These are not, as was wished. */
  | { readonly type: 'ended'; readonly streams: readonly string[] }
  /** These are not, for a reason of the exchange's; undefined: whatever was asked for last. */
  | {
      readonly type: 'refused';
      readonly streams: readonly string[] | undefined;
      readonly error: string;
    }
  /** The id of a symbol's last trade, told beside the trades: it shows whether one was missed. */
  | { readonly type: 'lastTradeId'; readonly symbol: string; readonly id: number };

/** What is in a frame: one event as it is, for the busiest exchanges never send more. */
export type Decoded = Trade | BookTicker | readonly (Trade | BookTicker)[] | undefined;

export interface Decoder {
  readonly counters: DecoderCounters;
  /**
   * The events in a frame, in their order; undefined when it holds none: an unknown event, a control
   * message, or a bad frame, each counted and, where it matters, handed on. Never throws.
   */
  decode(frame: string, receivedTime: Micros): Decoded;
}

/** One whose frames hold at most one event. */
export interface SingleDecoder extends Decoder {
  decode(frame: string, receivedTime: Micros): Trade | BookTicker | undefined;
}

export type DecoderCounters = {
  frames: number;
  /** Events and symbols that are not ours. */
  ignored: number;
  /** Frames that were refused. */
  bad: number;
};

export type RestOptions = {
  readonly client: RestClient;
  readonly exchange: ExchangeName;
  readonly timeUnit: TimeUnit;
  readonly maximumAheadMs: number;
  readonly ownSymbol: OwnSymbol;
};

/** What the exchange says of an instrument. */
export type ListedInstrument = {
  readonly limits: InstrumentLimits;
  /** Why it does not trade at present, for people; undefined while it does. */
  readonly trouble: string | undefined;
};

/** The exchange as it can be asked, and what it promises of its answers. */
export type ExchangeRest = RestQuestions & { readonly facts: ExchangeFacts };

/** Where the trades that are asked for begin; by time, both ends are included. */
export type TradeRange =
  | { readonly fromId: number }
  | { readonly fromTime: Micros; readonly toTime: Micros };

/** The questions that the exchange answers over REST. All throw RestError. */
export interface RestQuestions {
  /** What asking for one last trade costs. */
  readonly lastTradeWeight: number;
  /** undefined: the instrument has never traded. */
  lastTrade(symbol: string, signal: AbortSignal): Promise<LastTrade | undefined>;
  /**
   * Trades by id or by time, lowest first; fewer than `tradesPerAnswer` are all there are. The
   * exchange may lack some. Those that are filled by time cannot be asked for by id.
   */
  trades(symbol: string, from: TradeRange, signal: AbortSignal): Promise<readonly Trade[]>;
  readonly tradesPerAnswer: number;
  /** The exchange's own candles that open within [from, to), earliest first, all of them. */
  klines(
    symbol: string,
    timeframe: Timeframe,
    span: { readonly from: Micros; readonly to: Micros },
    signal: AbortSignal,
  ): Promise<readonly Kline[]>;
  /**
   * The best bid and ask at this moment, under an update id that book tickers of the stream share;
   * exchanges without such ids have no answer.
   */
  bookTicker?(symbol: string, signal: AbortSignal): Promise<BookTicker>;
  /** By symbol; those that the exchange does not know are left out. */
  listedInstruments(
    symbols: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ListedInstrument>>;
}
