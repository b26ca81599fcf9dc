import { fromJson, ScalarType } from '@bufbuild/protobuf';
import type { DescEnum, DescMessage, JsonValue } from '@bufbuild/protobuf';
import {
  DurationSchema,
  FieldMaskSchema,
  isWrapperDesc,
  TimestampSchema,
} from '@bufbuild/protobuf/wkt';
import { parseDuration } from '../../base/duration.ts';
import { ExactNumber } from '../../base/exact-json.ts';
import { enumNumber, enumTexts } from './enum-text.ts';
import type { ExactJson } from './strict-json.ts';

/** A value that is not what its field takes. */
export class Mismatch extends Error {
  /** "an integer" */
  readonly expected: string;

  constructor(expected: string) {
    super(`Expected ${expected}`);
    this.name = 'Mismatch';
    this.expected = expected;
  }
}

/**
 * Reads a scalar as protobuf's JSON has it. Digits stay as they are: a number for a string is the
 * string that was written.
 * @throws Mismatch
 */
export function scalarJson(scalar: ScalarType, json: ExactJson): JsonValue {
  const text = json instanceof ExactNumber ? json.source : json;
  switch (scalar) {
    case ScalarType.STRING:
      return typeof text === 'string' ? text : mismatch('a string');
    case ScalarType.BOOL:
      if (text === true || text === 'true') return true;
      return text === false || text === 'false' ? false : mismatch('true or false');
    case ScalarType.BYTES:
      return isText(text, /^[\w+/-]*={0,2}$/u) ? text : mismatch('bytes as base64');
    case ScalarType.FLOAT:
    case ScalarType.DOUBLE:
      return isText(text, numberPattern) ? text : mismatch('a number');
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return integer(text, 32n, true);
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return integer(text, 32n, false);
    case ScalarType.INT64:
    case ScalarType.SINT64:
    case ScalarType.SFIXED64:
      return integer(text, 64n, true);
    case ScalarType.UINT64:
    case ScalarType.FIXED64:
      return integer(text, 64n, false);
    default:
      return scalar satisfies never;
  }
}

/** @throws Mismatch, naming the values */
export function enumJson(desc: DescEnum, json: ExactJson): JsonValue {
  const text = json instanceof ExactNumber ? json.source : json;
  if (typeof text !== 'string') return mismatch(`one of ${enumTexts(desc).join(', ')}`);
  const number = isText(text, /^\d{1,9}$/u) ? Number(text) : enumNumber(desc, text);
  return number ?? mismatch(`one of ${enumTexts(desc).join(', ')}`);
}

/**
 * Reads a message that has a JSON of its own: a time, a duration, a wrapper, any JSON.
 * @returns undefined for all other messages
 * @throws Mismatch
 */
export function ownJson(desc: DescMessage, json: ExactJson): JsonValue | undefined {
  const [wrapped] = desc.fields;
  if (isWrapperDesc(desc) && wrapped?.scalar !== undefined) return scalarJson(wrapped.scalar, json);
  switch (desc.typeName) {
    case 'google.protobuf.Timestamp':
      return timeJson(json);
    case 'google.protobuf.Duration':
      return durationJson(json);
    case 'google.protobuf.FieldMask':
      return checked(FieldMaskSchema, json, 'names of fields with commas between them');
    default:
      return hasOwnJson(desc) ? plainJson(json) : undefined;
  }
}

/** Whether a message has a JSON of its own. */
export function hasOwnJson(desc: DescMessage): boolean {
  return isWrapperDesc(desc) || ownTypes.has(desc.typeName);
}

/** Whether a message is read from one text, so that a query's parameter can be it. */
export function hasText(desc: DescMessage): boolean {
  return isWrapperDesc(desc) || textTypes.has(desc.typeName);
}

const textTypes: ReadonlySet<string> = new Set(
  ['Timestamp', 'Duration', 'FieldMask'].map((name) => `google.protobuf.${name}`),
);
const anyTypes = ['Struct', 'Value', 'ListValue', 'Any'].map((name) => `google.protobuf.${name}`);
const ownTypes: ReadonlySet<string> = new Set([...textTypes, ...anyTypes]);

const numberPattern = /^(?:-?\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,4})?|NaN|-?Infinity)$/iu;

function isText(value: ExactJson, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}

function integer(text: ExactJson, bits: bigint, isSigned: boolean): JsonValue {
  const [minimum, maximum] = isSigned
    ? [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
    : [0n, 2n ** bits - 1n];
  // No longer than the longest: making a bigint of many digits costs their square.
  if (!isText(text, /^-?\d{1,20}$/u) || BigInt(text) < minimum || BigInt(text) > maximum) {
    return mismatch(`an integer from ${minimum} to ${maximum}`);
  }
  return BigInt(text).toString();
}

function timeJson(json: ExactJson): JsonValue {
  const expected = 'a time such as 2026-11-20T14:51:47.5Z';
  const time = checked(TimestampSchema, json, expected);
  // The 30th of February would be read as the 2nd of March.
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)T/u.exec(time) ?? [];
  const daysInMonth = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) <= daysInMonth ? time : mismatch(expected);
}

function durationJson(json: ExactJson): JsonValue {
  const nanos = typeof json === 'string' ? parseDuration(json) : undefined;
  if (nanos === undefined) return mismatch('a duration such as 90s, 5m or 1h30m');
  const [sign, absolute] = nanos < 0n ? ['-', -nanos] : ['', nanos];
  const fraction = (absolute % 1_000_000_000n).toString().padStart(9, '0');
  return checked(DurationSchema, `${sign}${absolute / 1_000_000_000n}.${fraction}s`, 'a duration');
}

function checked(desc: DescMessage, json: ExactJson, expected: string): string {
  if (typeof json !== 'string') return mismatch(expected);
  try {
    fromJson(desc, json);
    return json;
  } catch {
    return mismatch(expected);
  }
}

/** Numbers are doubles here: these messages have no others. */
function plainJson(json: ExactJson): JsonValue {
  if (json instanceof ExactNumber) return Number(json.source);
  if (typeof json !== 'object' || json === null) return json;
  if (isArray(json)) return json.map(plainJson);
  return Object.fromEntries(Object.entries(json).map(([name, value]) => [name, plainJson(value)]));
}

function isArray(json: object): json is readonly ExactJson[] {
  return Array.isArray(json);
}

function mismatch(expected: string): never {
  throw new Mismatch(expected);
}
