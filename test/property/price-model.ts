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

const second = 1_000_000;
const week = 7 * 86_400;

/**
 * The window of so many seconds when the clock shows `now`: it ends with the second that runs, beyond
 * a week with the minute.
 */
export function modelWindow(seconds: number, now: number): ModelWindow {
  const step = (seconds > week ? 60 : 1) * second;
  const to = now - (now % step) + step;
  return { from: to - seconds * 1_000_000, to };
}

type ModelWindow = { readonly from: number; readonly to: number };

/** What is covered, and whether it is all; undefined where the model does not foresee it. */
export type ModelCoverage = {
  readonly isComplete: boolean | undefined;
  readonly from: number | undefined;
  readonly to: number | undefined;
};

/**
 * What one life of a server covers of a window, on one exchange: it was observed from the second after
 * that of the first trade on, and up to the second in which something was heard last.
 */
export function modelCoverage(
  own: readonly PricedTrade[],
  { from, to }: ModelWindow,
  { now, heard }: { readonly now: number; readonly heard: number },
): ModelCoverage {
  const trades = [...new Map(own.map((each) => [each.id, each])).values()].toSorted(
    (a, b) => a.id - b.id,
  );
  const [first] = trades;
  if (first === undefined) return { isComplete: false, from: to, to };
  // A connection that delivers nothing for ten seconds is not believed any more.
  if (now - heard > 10 * second) return { isComplete: false, from: undefined, to: undefined };
  const heardThrough = heard - (heard % second) + second;
  const firstSecond = first.time - (first.time % second);
  // Of what is missing the neighbours say when it was.
  const holes = trades.flatMap((trade, index) => {
    const before = trades[index - 1] ?? trade;
    if (trade.id - before.id < 2) return [];
    return { from: Math.min(before.time, trade.time), to: Math.max(before.time, trade.time) };
  });
  const end = Math.min(to, heardThrough);
  if (holes.some((hole) => hole.from >= from && hole.to < end)) {
    return { isComplete: false, from: undefined, to: undefined };
  }
  if (holes.length > 0 || heardThrough <= from) {
    return { isComplete: undefined, from: undefined, to: undefined };
  }
  return {
    isComplete: from > firstSecond,
    from: Math.max(from, firstSecond),
    to: end,
  };
}

/** Several exchanges together: from the earliest to the latest, and all only where each has all. */
export function modelUnion(parts: readonly ModelCoverage[], window: ModelWindow): ModelCoverage {
  const covering = parts.filter(({ from, to }) => from !== window.to || to !== window.to);
  const isAnyOpen = parts.some(({ isComplete }) => isComplete === undefined);
  const known = (values: readonly (number | undefined)[], pick: (...all: number[]) => number) => {
    const all = values.filter((value) => value !== undefined);
    if (all.length < values.length) return undefined;
    return all.length === 0 ? window.to : pick(...all);
  };
  return {
    isComplete: parts.some(({ isComplete }) => isComplete === false)
      ? false
      : isAnyOpen
        ? undefined
        : true,
    from: known(
      covering.map(({ from }) => from),
      Math.min,
    ),
    to: known(
      covering.map(({ to }) => to),
      Math.max,
    ),
  };
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
