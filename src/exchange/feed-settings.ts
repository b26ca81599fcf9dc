import type { BackoffBounds } from '../base/backoff.ts';
import type { TimeUnit } from './exchange.ts';
import type { RestSettings } from './rest-client.ts';
import type { StreamGuardSettings } from './stream-guard.ts';
import type { SubscriptionSettings } from './stream-keeper.ts';
import type { SuccessionSettings } from './succession.ts';
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
  SubscriptionSettings &
  StreamGuardSettings &
  SuccessionSettings &
  Omit<RestSettings, 'restBaseUrl'> & {
    readonly timeUnit: TimeUnit;
    readonly maximumAheadMs: number;
    readonly symbolsPerConnection: number;
    readonly backoff: BackoffBounds;
    /** After so long with data a connection counts as good, and the next back-off begins anew. */
    readonly healthyAfterMs: number;
    /** Attempts to connect, of all connections to the address together. */
    readonly connectsPer5Minutes: number;
    readonly connectsPerSecond: number;
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
    /** How long one that was replaced still delivers: its last frames may be on the way. */
    readonly retireMs: number;
    /** How often a connection's state is looked at. */
    readonly tickMs: number;
    /** How often the exchange is asked what it lists, and after reconnects at most. */
    readonly listEveryMs: number;
    readonly listAtMostEveryMs: number;
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
  // Many at once look like an attack; ten connections are 500 symbols.
  connectsPerSecond: 10,
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
  // Ways to an exchange differ by far less.
  retireMs: 1000,
  tickMs: 500,
  listEveryMs: 3_600_000,
  listAtMostEveryMs: 60_000,

  // Binance allows 5, our pongs among them.
  requestsPerSecond: 3,
  requestTimeoutMs: 5000,
  auditEveryMs: 300_000,
  subscribeAttempts: 3,

  // Until it is known: most symbols that are followed trade more often. Ten times the usual silence
  // comes by chance once in 20,000 times.
  expectedSilenceMs: 6000,
  silenceFactor: 10,
  silenceMinimumMs: 5000,
  silenceMaximumMs: 300_000,
  // REST is read from a database that is behind the streams, as a rule.
  streamLagMs: 2000,
  tickerlessTrades: 50,
  tickerlessMs: 10_000,
  renewalsAtOnce: 2,
  renewEveryMs: 300_000,

  // Binance cuts after 24 hours.
  replaceAfterMs: 23 * 3_600_000,
  replaceJitterMs: 900_000,
  replaceLeadMs: 1_800_000,
  successorPatienceMs: 30_000,
  replaceForDeadEveryMs: 600_000,
};
