import type { BackoffBounds } from '../base/backoff.ts';
import type { TimeUnit } from './exchange.ts';
import type { RestSettings } from './rest-client.ts';
import type { WebSocketSettings } from './websocket.ts';

/** Where the exchange is. */
export type FeedAddresses = {
  /** Without a path: "wss://data-stream.binance.vision". */
  readonly webSocketBaseUrl: string;
  /** Without a path: "https://data-api.binance.vision". */
  readonly restBaseUrl: string;
};

/** Every bound of a feed. */
export type FeedBounds = WebSocketSettings &
  Omit<RestSettings, 'restBaseUrl'> & {
    readonly timeUnit: TimeUnit;
    readonly maximumAheadMs: number;
    readonly symbolsPerConnection: number;
    readonly backoff: BackoffBounds;
    /** After so long with data a connection counts as good, and the next back-off begins anew. */
    readonly healthyAfterMs: number;
    /** Attempts to connect within 5 minutes, of all connections of the feed together. */
    readonly connectsPer5Minutes: number;
    /** Without any sign of life for so long, a connection is dropped. */
    readonly silenceTimeoutMs: number;
    /** So many unreadable frames within a minute, and the connection is dropped. */
    readonly unreadableFramesPerMinute: number;
    /** Without data for so long, the exchange is asked for the last trades, and again after as long. */
    readonly probeAfterMs: number;
    /** The weight that such questions may use in a minute; the others wait for their turn. */
    readonly probeWeightPerMinute: number;
    /** The weight that all questions together may use in a minute. */
    readonly restWeightPerMinute: number;
    /** How often a connection's state is looked at. */
    readonly tickMs: number;
  };

export type FeedSettings = FeedAddresses & FeedBounds;

/** The bounds as they are where nothing else is configured. */
export const defaultFeedBounds: FeedBounds = {
  timeUnit: 'millisecond',
  maximumAheadMs: 600_000,
  // Fifty make a URL of 2,000 characters, and a cut that concerns only them.
  symbolsPerConnection: 50,
  handshakeTimeoutMs: 10_000,
  // An event has 200 bytes, the longest answer some 50 kB.
  maximumFrameBytes: 1024 * 1024,
  backoff: { minimumMs: 500, maximumMs: 30_000 },
  healthyAfterMs: 30_000,
  // Binance allows 300; the rest is for the next start and for others at this address.
  connectsPer5Minutes: 150,
  // Binance pings every 20 s: three were missed.
  silenceTimeoutMs: 60_000,
  unreadableFramesPerMinute: 100,
  probeAfterMs: 2000,
  probeWeightPerMinute: 1200,
  // Half of what Binance allows an address.
  restWeightPerMinute: 3000,
  restConcurrency: 4,
  restWaitingLimit: 1000,
  restMaximumWaitMs: 60_000,
  restTimeoutMs: 10_000,
  restBodyLimitBytes: 4 * 1024 * 1024,
  restAttempts: 3,
  restBackoff: { minimumMs: 250, maximumMs: 5000 },
  // Binance's bans last from 2 minutes.
  stopMs: 600_000,
  tickMs: 500,
};
