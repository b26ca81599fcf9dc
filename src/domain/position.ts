import type { Micros } from '../base/clock.ts';
import { divideHalfEven } from '../base/decimal.ts';
import type { Decimal, Product } from '../base/decimal.ts';
import type { InstrumentName } from './instrument.ts';

/** What an account holds of an instrument is one position. */
export type PositionName = { readonly account: string; readonly instrument: InstrumentName };

/**
 * What an account holds of an instrument at a moment: the fold of its executions until then,
 * average-cost accounting. Amounts are in the quote asset.
 *
 * realizedProfit − cost = the net cash of all executions, to the last digit.
 */
export type PositionState = {
  /** Bought minus sold; below 0 is short. */
  readonly quantity: Decimal;
  /**
   * What the quantity was opened for; signed as the quantity (but for what rounding leaves, below
   * 10^-18), 0 when that is 0.
   */
  readonly cost: Product;
  readonly realizedProfit: Product;
  readonly fees: Decimal;
  /** The sum of what was bought and sold. */
  readonly tradedVolume: Decimal;
  readonly executionCount: number;
};

export type Position = PositionName &
  PositionState & {
    /** The moment asked for; where none was, that of the last execution. */
    readonly asOf: Micros;
    /** When the last execution in it happened. */
    readonly lastExecutedTime: Micros;
  };

/** Before the first execution. */
export const emptyPosition: PositionState = {
  quantity: 0n,
  cost: 0n,
  realizedProfit: 0n,
  fees: 0n,
  tradedVolume: 0n,
  executionCount: 0,
};

/** What a unit of it was opened for, on average, rounded half-even; undefined when it is flat. */
export function averageOpenPrice({
  quantity,
  cost,
}: Pick<PositionState, 'quantity' | 'cost'>): Decimal | undefined {
  return quantity === 0n ? undefined : divideHalfEven(cost, quantity);
}
