/** A moment, as the contract has it. */
export type Moment = { readonly seconds: bigint; readonly nanos: number };

/** An execution as the contract takes it; the server checks its fields. */
export type NewExecution = {
  readonly sourceId: string;
  readonly account: string;
  readonly instrument: string;
  readonly quantity: string;
  readonly price: string;
  readonly fee: string;
  readonly corrects: string;
  readonly executedTime: Moment;
};

/** Something that should be an execution. */
export type SourceRow = {
  /** Where it stands, from 1: to be told when it is refused. */
  readonly line: number;
  /** As it was written. */
  readonly text: string;
} & (
  | { readonly source: string; readonly execution: NewExecution }
  /** It cannot be read as an execution at all. */
  | { readonly problem: string }
);

/**
 * Where executions come from: a file, a generator; a broker would be another one. It only reads:
 * sending, repeating and telling what became of them is done by `recordExecutions`.
 */
export interface ExecutionSource {
  /** The rows in their order, the same ones each time, in batches as they come. */
  rows(): AsyncIterable<readonly SourceRow[]>;
}
