import { formatDecimal } from '../../base/decimal.ts';
import type { Execution } from '../../domain/execution.ts';
import { plainColumn, textColumn } from '../column.ts';
import { formatTimestamp } from '../timestamptz.ts';

/** The columns of executions as record_executions takes them. */
export function executionColumns(executions: readonly Execution[]): string[] {
  return [
    textColumn(executions.map(({ account }) => account)),
    textColumn(executions.map(({ instrument }) => instrument)),
    textColumn(executions.map(({ source }) => source)),
    textColumn(executions.map(({ sourceId }) => sourceId)),
    plainColumn(executions.map(({ quantity }) => formatDecimal(quantity))),
    plainColumn(executions.map(({ price }) => formatDecimal(price))),
    plainColumn(executions.map(({ fee }) => formatDecimal(fee))),
    plainColumn(executions.map(({ executedTime }) => formatTimestamp(executedTime))),
    optionalColumn(executions.map(({ corrects }) => corrects)),
  ];
}

/** Texts, quoted, so that the word NULL is one; undefined is NULL. */
function optionalColumn(values: readonly (string | undefined)[]): string {
  const quoted = values.map((value) =>
    value === undefined ? 'NULL' : textColumn([value]).slice(1, -1),
  );
  return plainColumn(quoted);
}
