import { RestError } from './rest-error.ts';
import { isFields, WireError } from './fields.ts';
import type { Fields } from './fields.ts';

// Reading REST answers: what is not as it should be is a RestError that names the question.

export function expectArray(path: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new RestError('failed', `${path}: expected a list`);
  return value;
}

export function expectFields(value: unknown): Fields {
  if (!isFields(value)) throw new WireError('field', 'expected an object');
  return value;
}

export function read<T>(path: string, readRow: () => T): T {
  try {
    return readRow();
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new RestError('failed', `${path}: ${error.message}`, { cause: error });
  }
}
