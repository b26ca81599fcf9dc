import type { DescField, DescMessage, JsonObject, JsonValue } from '@bufbuild/protobuf';
import { ExactNumber } from '../../base/exact-json.ts';
import { isJsonObject } from './strict-json.ts';
import type { ExactJson } from './strict-json.ts';
import { quote } from './rest-refusal.ts';
import type { Violations } from './rest-refusal.ts';
import { enumJson, Mismatch, ownJson, scalarJson } from './value-json.ts';

/**
 * Reads a message from JSON as people write it, and gives it as protobuf's own JSON under the names of
 * the contract. More is read than protobuf does: numbers where the contract has decimals as strings,
 * digit by digit, "5m", "buy". What is wrong is added to `violations` by the path of its field.
 */
export function messageJson(
  desc: DescMessage,
  json: ExactJson,
  path: string,
  violations: Violations,
): JsonObject {
  if (!isJsonObject(json)) throw new Mismatch('an object');
  const message: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(json)) {
    const field = desc.fields.find((field) => field.name === name || field.jsonName === name);
    if (field === undefined) {
      const known = desc.fields.map(({ name }) => name).join(', ');
      violations.add(joined(path, name.slice(0, 60)), `expected one of ${known || 'no fields'}`);
      continue;
    }
    const read = fieldJson(field, value, joined(path, field.name), violations);
    if (read === undefined) continue;
    if (field.name in message) violations.add(joined(path, field.name), 'expected it once');
    message[field.name] = read;
  }
  return message;
}

/** The same for the value of a field; undefined where there is none, or a wrong one. */
export function fieldJson(
  field: DescField,
  json: ExactJson,
  path: string,
  violations: Violations,
): JsonValue | undefined {
  if (json === null) return undefined;
  const each = (value: ExactJson, at: string) => valueJson(field, value, at, violations) ?? null;
  if (field.fieldKind === 'list') {
    if (Array.isArray(json)) return json.map((value, index) => each(value, `${path}[${index}]`));
    violations.add(path, unexpected('an array', json));
  } else if (field.fieldKind === 'map') {
    if (isJsonObject(json)) return mapValues(json, (value, key) => each(value, `${path}[${key}]`));
    violations.add(path, unexpected('an object', json));
  } else {
    return valueJson(field, json, path, violations);
  }
  return undefined;
}

function mapValues(
  json: { readonly [key: string]: ExactJson },
  read: (value: ExactJson, key: string) => JsonValue,
): JsonObject {
  const entries = Object.entries(json);
  return Object.fromEntries(entries.map(([key, value]) => [key, read(value, quote(key))] as const));
}

/** The same for one value of a field: of a list or map, for one in it; texts are read as well. */
export function valueJson(
  field: DescField,
  json: ExactJson,
  path: string,
  violations: Violations,
): JsonValue | undefined {
  try {
    if (field.enum !== undefined) return enumJson(field.enum, json);
    if (field.message === undefined) return scalarJson(field.scalar, json);
    return ownJson(field.message, json) ?? messageJson(field.message, json, path, violations);
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    violations.add(path, unexpected(error.expected, json));
    return undefined;
  }
}

/** "a.b" of "a" and "b". */
export function joined(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function unexpected(expected: string, json: ExactJson): string {
  return `expected ${expected}, got ${shown(json)}`;
}

function shown(json: ExactJson): string {
  if (typeof json === 'string') return quote(json);
  if (json instanceof ExactNumber) return json.source.slice(0, 60);
  if (Array.isArray(json)) return 'an array';
  return typeof json === 'object' && json !== null ? 'an object' : String(json);
}
