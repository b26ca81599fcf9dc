/** Every bound of the market. */
export type MarketLimits = {
  /** A candle closes this long after its end, so that trades on the way still get into it. */
  readonly graceMs: number;
  /** A missing trade id that has not come after this is a gap. */
  readonly gapMaturityMs: number;
  /** Exchange times further ahead of the exchange's clock than this are not believed. */
  readonly clockToleranceMs: number;
  /** How long closed 1s candles are retained and can be revised. */
  readonly secondsRetentionMs: number;
  /** How long all other closed candles are. */
  readonly retentionMs: number;
  /** How many closed candles and gaps are retained in all; at about 1 KiB each. */
  readonly maximumRetained: number;
};

export const marketLimits: MarketLimits = {
  graceMs: 500,
  gapMaturityMs: 250,
  clockToleranceMs: 60_000,
  // An hour, and ten minutes more: a reader that comes from another server is given the last hour
  // again, and may have been away for a while.
  secondsRetentionMs: 70 * 60_000,
  retentionMs: 7 * 86_400_000,
  maximumRetained: 1_000_000,
};
