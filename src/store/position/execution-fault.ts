import { formatDecimal } from '../../base/decimal.ts';
import type { Decimal } from '../../base/decimal.ts';
import { orderSource } from '../../domain/execution.ts';
import type { Execution } from '../../domain/execution.ts';

/** The longest texts that fit an index row together, in bytes of UTF-8. */
const textBounds = { account: 64, instrument: 97, source: 32, sourceId: 128 } as const;

/** The first value that has 16 digits before the point. */
const tooLarge = 10n ** 33n;

const controlCharacter = /\p{Cc}/u;

/** Why an execution can never be recorded. */
export type ExecutionFault = {
  /** The field, as the contract names it; undefined: only the database knows. */
  readonly field: string | undefined;
  /** Names the field and what was expected. */
  readonly reason: string;
};

/**
 * Why an execution can never be recorded; undefined: it can. What the tables would refuse must not
 * reach them: one row would take its whole batch with it.
 */
export function faultOf(execution: Execution): ExecutionFault | undefined {
  const { account, instrument, source, sourceId, corrects, executedTime } = execution;
  return (
    textFault('account', account, textBounds.account) ??
    textFault('instrument', instrument, textBounds.instrument) ??
    (instrument.indexOf(':') > 0 && instrument.length > 2
      ? undefined
      : fault('instrument', `expected exchange:SYMBOL, got ${shown(instrument)}`)) ??
    textFault('source', source, textBounds.source) ??
    (source === orderSource
      ? fault('source', `expected another than ${orderSource}, which is that of our own fills`)
      : undefined) ??
    textFault('source_id', sourceId, textBounds.sourceId) ??
    (corrects === undefined ? undefined : textFault('corrects', corrects, textBounds.sourceId)) ??
    decimalFault('quantity', execution.quantity, (quantity) => quantity !== 0n, 'other than 0') ??
    decimalFault('price', execution.price, (price) => price > 0n, 'above 0') ??
    decimalFault('fee', execution.fee, () => true, '') ??
    (Number.isSafeInteger(executedTime) && executedTime >= 0
      ? undefined
      : fault('executed_time', `expected whole microseconds since 1970, got ${executedTime}`))
  );
}

function textFault(field: string, text: string, bytes: number): ExecutionFault | undefined {
  if (text === '') return fault(field, 'expected a text, got none');
  // A NUL is refused by Postgres; half a surrogate pair would become another text. The others could
  // not be told from what stands between texts.
  if (controlCharacter.test(text) || !text.isWellFormed()) {
    return fault(field, `expected Unicode text without control characters, got ${shown(text)}`);
  }
  const length = Buffer.byteLength(text);
  return length <= bytes
    ? undefined
    : fault(field, `expected at most ${bytes} bytes, got ${length}`);
}

function decimalFault(
  field: string,
  value: Decimal,
  isAllowed: (value: Decimal) => boolean,
  allowed: string,
): ExecutionFault | undefined {
  if (value <= -tooLarge || value >= tooLarge) {
    return fault(field, 'expected at most 15 digits before the point');
  }
  return isAllowed(value)
    ? undefined
    : fault(field, `expected a number ${allowed}, got ${formatDecimal(value)}`);
}

function fault(field: string, expected: string): ExecutionFault {
  return { field, reason: `${field}: ${expected}` };
}

/** The beginning of a text, with what cannot be printed escaped. */
function shown(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
