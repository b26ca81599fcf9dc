/**
 * The obvious statistics: all trades that are known are there, and each number is computed from those
 * that fall into the window. Slow, and it imports nothing of the engine.
 */
export type PricedTrade = {
  readonly exchange: string;
  readonly id: number;
  /** µs */
  readonly time: number;
  /** in 10^-18 */
  readonly price: bigint;
  readonly quantity: bigint;
  /** How many single trades it stands for. */
  readonly singles: number;
};

export type ModelStatistics = {
  readonly first: bigint | undefined;
  readonly last: bigint | undefined;
  readonly highest: bigint | undefined;
  readonly lowest: bigint | undefined;
  readonly average: bigint | undefined;
  readonly volumeWeightedAverage: bigint | undefined;
  readonly change: bigint | undefined;
  readonly changePercent: bigint | undefined;
  readonly tradeCount: number;
  readonly volume: bigint;
  readonly quoteVolume: bigint;
};

/** The window of so many seconds when the clock shows `now`: it ends with the second that runs. */
export function modelWindow(seconds: number, now: number): { from: number; to: number } {
  const to = now - (now % 1_000_000) + 1_000_000;
  return { from: to - seconds * 1_000_000, to };
}

/** The statistics of the trades in [from, to). */
export function modelStatistics(
  known: readonly PricedTrade[],
  from: number,
  to: number,
): ModelStatistics {
  const inside = [...new Map(known.map((each) => [`${each.exchange} ${each.id}`, each])).values()]
    .filter(({ time }) => time >= from && time < to)
    .toSorted((a, b) => a.time - b.time || order(a.exchange, b.exchange) || a.id - b.id);
  const prices = inside.flatMap(({ price, singles }) => Array<bigint>(singles).fill(price));
  const sorted = prices.toSorted((a, b) => (a < b ? -1 : 1));
  const volume = inside.reduce((sum, { quantity }) => sum + quantity, 0n);
  const quoteVolume = inside.reduce((sum, { price, quantity }) => sum + price * quantity, 0n);
  const first = prices[0];
  const last = prices.at(-1);
  const change = first === undefined || last === undefined ? undefined : last - first;
  return {
    first,
    last,
    highest: sorted.at(-1),
    lowest: sorted[0],
    average: nearest(
      prices.reduce((sum, price) => sum + price, 0n),
      BigInt(prices.length),
    ),
    volumeWeightedAverage: nearest(quoteVolume, volume),
    change,
    changePercent: nearest((change ?? 0n) * 100n * 10n ** 18n, first ?? 0n),
    tradeCount: prices.length,
    volume,
    quoteVolume,
  };
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** a ÷ b, of two integers that are equally near the even one. */
function nearest(a: bigint, b: bigint): bigint | undefined {
  if (b === 0n) return undefined;
  const below = (a - (((a % b) + b) % b)) / b;
  const distances = [a - below * b, (below + 1n) * b - a] as const;
  if (distances[0] !== distances[1]) return distances[0] < distances[1] ? below : below + 1n;
  return below % 2n === 0n ? below : below + 1n;
}
