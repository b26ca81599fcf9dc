import type { BackoffBounds } from '../../base/backoff.ts';

/** Every bound of a TCP feed. */
export type TcpFeedBounds = {
  readonly connectTimeoutMs: number;
  readonly backoff: BackoffBounds;
  /** After so long with data a connection counts as good, and the next back-off begins anew. */
  readonly healthyAfterMs: number;
  /** Without a whole line for so long, a connection is dropped. */
  readonly silenceTimeoutMs: number;
  /** A longer line ends the connection: where the next one begins cannot be told any more. */
  readonly maximumLineBytes: number;
  /** Times further ahead of ours, or behind it, are not believed. */
  readonly maximumAheadMs: number;
  readonly maximumBehindMs: number;
  /** How often a connection's state is looked at. */
  readonly tickMs: number;
};

/** The bounds as they are where nothing else is configured. */
export const defaultTcpFeedBounds: TcpFeedBounds = {
  connectTimeoutMs: 10_000,
  // A program of one's own, which nobody bans us from: it is back as soon as it was started again.
  backoff: { minimumMs: 250, maximumMs: 5000 },
  healthyAfterMs: 5000,
  // Such an exchange tells about one update a second.
  silenceTimeoutMs: 30_000,
  // A line has some 70 bytes.
  maximumLineBytes: 65_536,
  // As much as the market believes.
  maximumAheadMs: 60_000,
  // A later one changes candles that are long closed: it is more likely wrong.
  maximumBehindMs: 600_000,
  tickMs: 500,
};
