export type BackoffBounds = {
  /** No wait is shorter. */
  readonly minimumMs: number;
  /** No wait is longer. */
  readonly maximumMs: number;
};

/**
 * How long to wait before the next attempt, in milliseconds: anything between the minimum and a
 * ceiling that doubles with each failed attempt ("full jitter", so that those who failed together
 * do not come back together).
 *
 * @param attempt failed attempts before this wait, from 0
 * @param random a number in [0, 1)
 */
export function backoffDelayMs(
  attempt: number,
  { minimumMs, maximumMs }: BackoffBounds,
  random: () => number = Math.random,
): number {
  const ceilingMs = Math.max(minimumMs, Math.min(maximumMs, minimumMs * 2 ** (attempt + 1)));
  return minimumMs + random() * (ceilingMs - minimumMs);
}
