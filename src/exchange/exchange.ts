/**
 * What every exchange fulfils. To add one:
 *
 * 1. Read its documentation and write its facts (`ExchangeFacts`) in `src/exchange/<name>.ts`.
 * 2. Write its decoder there: from a frame's text to a `MarketEvent`, tolerant of everything new,
 *    strict with every field that is used. Quote a payload and its source at each wire type.
 * 3. Say how to subscribe and how to ask for the last trade and the order limits.
 * 4. Add it to `registry.ts`, and a decode table to `test/exchange/<name>/`.
 *
 * Nothing outside that file and its folder knows the exchange's wire format.
 */
import type { Micros } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { ExchangeName, InstrumentLimits } from '../domain/instrument.ts';
import type { Kline } from '../domain/kline.ts';
import type { LastTrade } from '../domain/market-event.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';
import type { BadFrame } from './bad-frame.ts';
import type { RestClient } from './rest-client.ts';

export type Exchange = {
  /** The name of its protocol; the exchange's name in instruments may be another ("sim-binance"). */
  readonly protocol: string;
  readonly facts: ExchangeFacts;
  /** The symbol as the exchange's frames write it, from what somebody typed. */
  symbolOf(text: string): string;
  /** Spreads symbols over connections, each within the exchange's limits. */
  subscriptions(symbols: readonly string[], options: SubscriptionOptions): readonly Subscription[];
  readonly requests: StreamRequests;
  createDecoder(options: DecoderOptions): Decoder;
  createRest(options: RestOptions): ExchangeRest;
};

/** What the exchange promises, for those who rely on it. */
type ExchangeFacts = {
  /**
   * contiguous: within an instrument, a trade's id is the one before plus one, so a hole proves a
   * loss · monotonic: ids rise · none: ids prove nothing.
   */
  readonly idOrder: 'contiguous' | 'monotonic' | 'none';
  /** How missed trades can be asked for. */
  readonly backfill: 'byId' | 'byTime' | 'none';
  /** What shows that a connection lives while there is no data. */
  readonly heartbeat: 'serverPing' | 'applicationPing' | 'channel';
  readonly priceEncoding: 'string' | 'number';
  /** How the wire names the aggressor. */
  readonly aggressorRule: 'buyerIsMaker' | 'takerSide' | 'makerSide';
  readonly limits: {
    /** A connection is cut after this. */
    readonly connectionLifeMs: number;
    readonly streamsPerConnection: number;
    /** What we may send on a connection, heartbeats included. */
    readonly messagesPerSecond: number;
    readonly connectsPer5Minutes: number;
    readonly restWeightPerMinute: number;
  };
  /** The REST answer's header that says how much of the weight of this minute is used. */
  readonly usedWeightHeader: string;
};

/** The unit of the exchange's integer times. It is configured, never guessed from a value. */
export type TimeUnit = 'millisecond' | 'microsecond';

export type SubscriptionOptions = {
  readonly timeUnit: TimeUnit;
  readonly symbolsPerConnection: number;
};

/** What one connection delivers: it is in force as soon as the connection is open. */
export type Subscription = {
  /** Path and query, to be put behind the base URL. */
  readonly path: string;
  readonly symbols: readonly string[];
  /** The names of each symbol's streams, as requests and their answers write them. */
  readonly streams: ReadonlyMap<string, readonly string[]>;
};

/** What can be asked on an open connection; the answer is a ControlMessage with the same id. */
export type StreamRequests = {
  subscribe(id: number, streams: readonly string[]): string;
  unsubscribe(id: number, streams: readonly string[]): string;
  /** Which streams are in force? */
  list(id: number): string;
};

export type DecoderOptions = {
  /** The exchange's name in instruments. */
  readonly exchange: ExchangeName;
  /** Default: millisecond. */
  readonly timeUnit?: TimeUnit;
  /** Frames of other symbols are ignored; default: there are no others. */
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
    };

export interface Decoder {
  readonly counters: DecoderCounters;
  /**
   * The event in a frame; undefined when it holds none: an unknown event, a control message, or a
   * bad frame, each counted and, where it matters, handed on. Never throws.
   */
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
};

/** What the exchange says of an instrument. */
export type ListedInstrument = {
  readonly limits: InstrumentLimits;
  /** Why it does not trade at present, for people; undefined while it does. */
  readonly trouble: string | undefined;
};

/** The questions that the exchange answers over REST. All throw RestError. */
export interface ExchangeRest {
  /** What asking for one last trade costs. */
  readonly lastTradeWeight: number;
  /** undefined: the instrument has never traded. */
  lastTrade(symbol: string, signal: AbortSignal): Promise<LastTrade | undefined>;
  /**
   * Trades by id, lowest first: those from `fromId` or from `fromTime` on, at most `tradesPerAnswer`.
   * The exchange may lack some.
   */
  trades(
    symbol: string,
    from: { readonly fromId: number } | { readonly fromTime: Micros; readonly toTime: Micros },
    signal: AbortSignal,
  ): Promise<readonly Trade[]>;
  readonly tradesPerAnswer: number;
  /** The exchange's own candles that open within [from, to), earliest first, all of them. */
  klines(
    symbol: string,
    timeframe: Timeframe,
    span: { readonly from: Micros; readonly to: Micros },
    signal: AbortSignal,
  ): Promise<readonly Kline[]>;
  /** Symbols that the exchange does not know are left out. */
  listedInstruments(
    symbols: readonly string[],
    signal: AbortSignal,
  ): Promise<ReadonlyMap<string, ListedInstrument>>;
}
