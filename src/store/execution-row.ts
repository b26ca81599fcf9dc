import { formatDecimal } from '../base/decimal.ts';
import type { Decimal } from '../base/decimal.ts';
import type { Execution } from '../domain/execution.ts';
import { orderSource } from '../domain/execution.ts';
import { plainColumn, textColumn } from './column.ts';
import { formatTimestamp } from './timestamptz.ts';

/** The longest texts that fit an index row together, in bytes of UTF-8. */
export const textBounds = { account: 64, instrument: 97, source: 32, sourceId: 128 } as const;

/** The first value that has 16 digits before the point. */
const tooLarge = 10n ** 33n;

const controlCharacter = /\p{Cc}/u;

/**
 * Why an execution can never be recorded, naming the field and what was expected; undefined: it can.
 * What the tables would refuse must not reach them: one row would take its whole batch with it.
 */
export function faultOf(execution: Execution): string | undefined {
  const { account, instrument, source, sourceId, corrects, executedTime } = execution;
  return (
    textFault('account', account, textBounds.account) ??
    textFault('instrument', instrument, textBounds.instrument) ??
    (instrument.indexOf(':') > 0 && instrument.length > 2
      ? undefined
      : `instrument: expected exchange:SYMBOL, got ${shown(instrument)}`) ??
    textFault('source', source, textBounds.source) ??
    (source === orderSource
      ? `source: expected another than ${orderSource}, which is that of our own fills`
      : undefined) ??
    textFault('source id', sourceId, textBounds.sourceId) ??
    (corrects === undefined ? undefined : textFault('corrects', corrects, textBounds.sourceId)) ??
    decimalFault('quantity', execution.quantity, (quantity) => quantity !== 0n, 'other than 0') ??
    decimalFault('price', execution.price, (price) => price > 0n, 'above 0') ??
    decimalFault('fee', execution.fee, () => true, '') ??
    (Number.isSafeInteger(executedTime) && executedTime >= 0
      ? undefined
      : `executed time: expected whole microseconds since 1970, got ${executedTime}`)
  );
}

function textFault(field: string, text: string, bytes: number): string | undefined {
  if (text === '') return `${field}: expected a text, got none`;
  // A NUL is refused by Postgres; half a surrogate pair would become another text. The others could
  // not be told from what stands between texts.
  if (controlCharacter.test(text) || !text.isWellFormed()) {
    return `${field}: expected Unicode text without control characters, got ${shown(text)}`;
  }
  const length = Buffer.byteLength(text);
  return length <= bytes ? undefined : `${field}: expected at most ${bytes} bytes, got ${length}`;
}

function decimalFault(
  field: string,
  value: Decimal,
  isAllowed: (value: Decimal) => boolean,
  allowed: string,
): string | undefined {
  if (value <= -tooLarge || value >= tooLarge) {
    return `${field}: expected at most 15 digits before the point`;
  }
  return isAllowed(value)
    ? undefined
    : `${field}: expected a number ${allowed}, got ${formatDecimal(value)}`;
}

/** The beginning of a text, with what cannot be printed escaped. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}

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
