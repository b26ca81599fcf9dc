import type { Micros } from '../base/clock.ts';
import type { Decimal } from '../base/decimal.ts';
import type { InstrumentName } from './instrument.ts';

/**
 * A change of our position: a fill of one of our orders, or a trade of ours booked from outside.
 * (account, source, sourceId) names it for ever; positions fold executions in the order of
 * `compareExecutions`.
 */
export type Execution = {
  readonly account: string;
  readonly instrument: InstrumentName;
  /** Who tells it, e.g. "order" for our own fills. */
  readonly source: string;
  /** Its id there, unique within account and source; a fill's is orderId:version, zero-padded. */
  readonly sourceId: string;
  /** Bought is positive, sold negative; never 0. */
  readonly quantity: Decimal;
  /** Above 0, in the quote asset. */
  readonly price: Decimal;
  /** In the quote asset, kept apart from the profit; below 0 is a rebate. */
  readonly fee: Decimal;
  /** When it happened; where that was frozen when it came, the first moment that was not. */
  readonly executedTime: Micros;
  /** When it truly happened, where that is not `executedTime`. */
  readonly decidedTime?: Micros | undefined;
  /** The source id of the execution that this one corrects, of the same account and source. */
  readonly corrects?: string | undefined;
};

/** The source of our own fills. */
export const orderSource = 'order';

/** The place of an execution among those of its account and instrument. */
export type ExecutionKey = Pick<Execution, 'executedTime' | 'source' | 'sourceId'>;

/** Orders executions of one account and instrument: by time, then by source and source id, by bytes. */
export function compareExecutions(a: ExecutionKey, b: ExecutionKey): number {
  return (
    a.executedTime - b.executedTime ||
    compareBytes(a.source, b.source) ||
    compareBytes(a.sourceId, b.sourceId)
  );
}

/** Orders texts as Postgres does under collate "C": by the bytes of their UTF-8. */
export function compareBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}
