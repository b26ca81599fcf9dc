import type { Timestamp } from '@bufbuild/protobuf/wkt';
import type { NewExecution } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import type { Micros } from '../../base/clock.ts';
import { parseDecimal } from '../../base/decimal.ts';
import type { Decimal } from '../../base/decimal.ts';
import { defaultAccount, isAccount } from '../../domain/account.ts';
import type { Execution } from '../../domain/execution.ts';
import { Refusal } from '../../domain/refusal.ts';
import { exactMicros } from '../exact-micros.ts';
import type { InstrumentDirectory } from '../instrument-directory.ts';
import { positionInstrument } from './position-instrument.ts';

export type NewExecutionRules = {
  readonly source: string;
  readonly directory: InstrumentDirectory;
  /** A time after this has not come yet: most likely its unit is wrong. */
  readonly latestTime: Micros;
};

/** Longer ids would not fit an index. */
const maximumIdBytes = 128;
const decimalPattern = /^-?[0-9]{1,15}(?:\.[0-9]{1,18})?$/;
const expectedDecimal =
  'expected a decimal with at most 15 digits before and 18 after the point, without exponent';

/**
 * The execution that a row of a batch asks to record.
 * @throws Refusal that names the row's field
 */
export function executionFromMessage(row: NewExecution, rules: NewExecutionRules): Execution {
  const quantity = readDecimal('quantity', row.quantity);
  if (quantity === 0n) throw refused('quantity', 'expected other than 0');
  const price = readDecimal('price', row.price);
  if (price <= 0n) throw refused('price', `expected above 0, got ${shown(row.price)}`);
  return {
    source: rules.source,
    sourceId: readId('source_id', row.sourceId),
    account: readAccount(row.account),
    instrument: positionInstrument(rules.directory, 'instrument', row.instrument),
    quantity,
    price,
    fee: row.fee === '' ? 0n : readDecimal('fee', row.fee),
    executedTime: readTime(row.executedTime, rules.latestTime),
    corrects: row.corrects === '' ? undefined : readId('corrects', row.corrects),
  };
}

function readDecimal(field: string, text: string): Decimal {
  if (!decimalPattern.test(text)) throw refused(field, `${expectedDecimal}, got ${shown(text)}`);
  return text.startsWith('-') ? -parseDecimal(text.slice(1)) : parseDecimal(text);
}

function readId(field: string, text: string): string {
  const bytes = Buffer.byteLength(text);
  if (bytes === 0 || bytes > maximumIdBytes) {
    throw refused(field, `expected 1 to ${maximumIdBytes} bytes, got ${bytes}`);
  }
  if (/\p{Cc}/u.test(text)) {
    throw refused(field, `expected no control characters, got ${shown(text)}`);
  }
  return text;
}

function readAccount(text: string): string {
  if (text === '') return defaultAccount;
  if (isAccount(text)) return text;
  throw refused(
    'account',
    `expected 1 to 64 letters, digits, ".", "_", ":" and "-", got ${shown(text)}`,
  );
}

function readTime(timestamp: Timestamp | undefined, latest: Micros): Micros {
  const field = 'executed_time';
  if (timestamp === undefined) throw refused(field, 'expected a time, got none');
  const time = exactMicros(field, timestamp);
  if (time > latest) {
    throw refused(field, `expected 1970 to ${new Date(latest / 1000).toISOString()}`);
  }
  return time;
}

function refused(field: string, expected: string): Refusal {
  return new Refusal('invalid', `${field}: ${expected}`, { field });
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 60));
}
