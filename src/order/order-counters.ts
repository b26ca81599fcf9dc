/** What a server's shards have done since it started; only what is stored counts. */
export type OrderCounters = {
  accepted: number;
  filled: number;
  canceled: number;
  expired: number;
  /** Shards that were loaded again, because a commit failed or halts have changed. */
  reloads: number;
  /** Fresh book tickers that exchanges were asked for. */
  tickersAsked: number;
};

export function zeroOrderCounters(): OrderCounters {
  return { accepted: 0, filled: 0, canceled: 0, expired: 0, reloads: 0, tickersAsked: 0 };
}
