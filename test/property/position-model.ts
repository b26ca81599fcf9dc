/**
 * The obvious position: all executions are there, sorted, and folded one by one. Slow, and it imports
 * nothing of the engine.
 */
export type ModelExecution = {
  readonly account: string;
  readonly instrument: string;
  readonly source: string;
  readonly sourceId: string;
  /** µs */
  readonly executedTime: number;
  /** in 10^-18 */
  readonly quantity: bigint;
  readonly price: bigint;
  readonly fee: bigint;
};

export type ModelPosition = {
  readonly quantity: bigint;
  /** in 10^-36 */
  readonly cost: bigint;
  readonly realizedProfit: bigint;
  readonly fees: bigint;
  readonly tradedVolume: bigint;
  readonly executionCount: number;
  readonly lastExecutedTime: number;
};

const unit = 10n ** 18n;
const size = (value: bigint) => (value < 0n ? -value : value);
const sign = (value: bigint) => (value < 0n ? -1n : value > 0n ? 1n : 0n);

export function inOrder(executions: readonly ModelExecution[]): ModelExecution[] {
  const bytes = (text: string) => Buffer.from(text, 'utf8');
  return executions.toSorted(
    (a, b) =>
      a.executedTime - b.executedTime ||
      Buffer.compare(bytes(a.source), bytes(b.source)) ||
      Buffer.compare(bytes(a.sourceId), bytes(b.sourceId)),
  );
}

/** The position of one account and instrument after its executions at or before a time. */
export function modelPosition(
  executions: readonly ModelExecution[],
  at: number | undefined,
): ModelPosition | undefined {
  const counted = inOrder(executions).filter(
    ({ executedTime }) => at === undefined || executedTime <= at,
  );
  const last = counted.at(-1);
  if (last === undefined) return undefined;
  let held = 0n;
  let cost = 0n;
  let profit = 0n;
  for (const { quantity, price } of counted) {
    let rest = quantity;
    if (sign(held) === -sign(quantity)) {
      const closing = size(held) < size(quantity) ? size(held) : size(quantity);
      const share = closing === size(held) ? cost : round(cost * closing, size(held) * unit) * unit;
      profit += sign(held) * closing * price - share;
      cost -= share;
      rest += sign(held) * closing;
      held -= sign(held) * closing;
    }
    held += rest;
    cost += rest * price;
  }
  return {
    quantity: held,
    cost,
    realizedProfit: profit,
    fees: counted.reduce((sum, { fee }) => sum + fee, 0n),
    tradedVolume: counted.reduce((sum, { quantity }) => sum + size(quantity), 0n),
    executionCount: counted.length,
    lastExecutedTime: last.executedTime,
  };
}

/** What was paid (below 0) and received for all of them: in 10^-36. */
export function netCash(executions: readonly ModelExecution[], at: number | undefined): bigint {
  return executions
    .filter(({ executedTime }) => at === undefined || executedTime <= at)
    .reduce((sum, { quantity, price }) => sum - quantity * price, 0n);
}

export type ModelBin = Readonly<Record<'open' | 'high' | 'low' | 'close' | 'volume', bigint>>;

/** How the quantity went between two times. */
export function modelBin(
  executions: readonly ModelExecution[],
  from: number,
  to: number,
): ModelBin {
  const before = executions.filter(({ executedTime }) => executedTime < from);
  const inside = inOrder(executions).filter(
    ({ executedTime }) => executedTime >= from && executedTime < to,
  );
  const quantities = [before.reduce((sum, { quantity }) => sum + quantity, 0n)];
  for (const { quantity } of inside) quantities.push((quantities.at(-1) ?? 0n) + quantity);
  const sorted = quantities.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return {
    open: quantities[0] ?? 0n,
    high: sorted.at(-1) ?? 0n,
    low: sorted[0] ?? 0n,
    close: quantities.at(-1) ?? 0n,
    volume: inside.reduce((sum, { quantity }) => sum + size(quantity), 0n),
  };
}

/** To the nearest whole number, halves to the even one; the denominator is above 0. */
function round(numerator: bigint, denominator: bigint): bigint {
  const whole = size(numerator) / denominator;
  const twice = (size(numerator) % denominator) * 2n;
  const isUp = twice > denominator || (twice === denominator && whole % 2n === 1n);
  return sign(numerator) * (isUp ? whole + 1n : whole);
}
