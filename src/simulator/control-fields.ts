import { Refusal } from '../domain/refusal.ts';
import type { Body } from './controlled.ts';
import { isSymbol } from './symbol-profile.ts';

/**
 * Reads one field of a control request.
 * @throws Refusal naming the field and what was expected
 */
export type FieldReader<T> = (value: unknown, name: string) => T;

type Readers = Readonly<Record<string, FieldReader<unknown>>>;

/** The values that the readers read. */
export type FieldValues<R extends Readers> = {
  readonly [Name in keyof R]: ReturnType<R[Name]>;
};

/**
 * Reads the fields of a control request; a misspelt one would silently do something else, so an
 * unknown one is refused.
 * @throws Refusal naming the field that is wrong and what was expected
 */
export function readFields<R extends Readers>(body: Body, readers: R): FieldValues<R> {
  const names = Object.keys(readers);
  const unknown = Object.keys(body).find((name) => name !== 'action' && !names.includes(name));
  if (unknown !== undefined) {
    const known = names.length === 0 ? 'no field but action' : `one of ${names.join(', ')}`;
    throw new Refusal('invalid', `${unknown.slice(0, 80)}: expected ${known}`);
  }
  const values = Object.entries(readers).map(([name, read]) => [name, read(body[name], name)]);
  return Object.fromEntries(values) as FieldValues<R>;
}

/** The refusal of a field's value. */
export function invalid(field: string, expected: string, got: unknown): Refusal {
  const shown = got === undefined ? 'nothing' : JSON.stringify(got).slice(0, 80);
  return new Refusal('invalid', `${field}: expected ${expected}, got ${shown}`);
}

export const optional =
  <T>(read: FieldReader<T>): FieldReader<T | undefined> =>
  (value, name) =>
    value === undefined ? undefined : read(value, name);

export const withDefault =
  <T>(read: FieldReader<T>, fallback: T): FieldReader<T> =>
  (value, name) =>
    value === undefined ? fallback : read(value, name);

export const symbolField: FieldReader<string> = (value, name) => {
  if (typeof value === 'string' && isSymbol(value)) return value;
  throw invalid(name, 'a symbol in upper case like BNBUSDT', value);
};

export const integerField =
  (minimum: number, maximum: number): FieldReader<number> =>
  (value, name) => {
    const isInRange =
      typeof value === 'number' &&
      Number.isSafeInteger(value) &&
      value >= minimum &&
      value <= maximum;
    if (isInRange) return value;
    throw invalid(name, `an integer from ${minimum} to ${maximum}`, value);
  };

export const flagField: FieldReader<boolean> = (value, name) => {
  if (typeof value === 'boolean') return value;
  throw invalid(name, 'true or false', value);
};

export const textField =
  (maxLength: number): FieldReader<string> =>
  (value, name) => {
    if (typeof value === 'string' && value.length <= maxLength) return value;
    throw invalid(name, `a text of at most ${maxLength} characters`, value);
  };

export const choiceField =
  <T extends string | number>(choices: readonly T[]): FieldReader<T> =>
  (value, name) => {
    const choice = choices.find((each) => each === value);
    if (choice !== undefined) return choice;
    throw invalid(name, `one of ${choices.join(', ')}`, value);
  };

export const objectField: FieldReader<Body> = (value, name) => {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Body;
  throw invalid(name, 'an object', value);
};

/** A list whose items are read under names like `frames[3]`. */
export const listField =
  <T>(what: string, maxLength: number, read: FieldReader<T>): FieldReader<readonly T[]> =>
  (value, name) => {
    if (!Array.isArray(value)) throw invalid(name, `a list of ${what}`, value);
    if (value.length > maxLength) {
      throw new Refusal('invalid', `${name}: expected at most ${maxLength}, got ${value.length}`);
    }
    return value.map((item: unknown, index) => read(item, `${name}[${index}]`));
  };
