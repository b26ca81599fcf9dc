import type { DescField, DescMessage, JsonValue } from '@bufbuild/protobuf';
import { valueJson } from './message-json.ts';
import type { Violations } from './rest-refusal.ts';
import { hasOwnJson, hasText } from './value-json.ts';

/** The way from a request to one of its fields, from the outside in. */
export type FieldPath = readonly DescField[];

/** Messages in messages that a query reaches into; one that contains itself would have no end. */
const maxDepth = 4;

/**
 * The fields of a message that can be told by a text, by their names as a path or a query has them:
 * "start_time", "selections.timeframe". Those in a list of messages are among them, maps are not.
 */
export function textFields(
  desc: DescMessage,
  outer: FieldPath = [],
): ReadonlyMap<string, FieldPath> {
  const paths = new Map<string, FieldPath>();
  for (const field of desc.fields) {
    const path = [...outer, field];
    if (field.fieldKind === 'map') continue;
    if (field.message === undefined || hasText(field.message)) paths.set(nameOf(path), path);
    else if (path.length < maxDepth && !hasOwnJson(field.message)) {
      for (const [name, inner] of textFields(field.message, path)) paths.set(name, inner);
    }
  }
  return paths;
}

/** "selections.timeframe" */
export function nameOf(path: FieldPath): string {
  return path.map(({ name }) => name).join('.');
}

/** The same with the names that JSON has: "startTime". */
export function jsonNameOf(path: FieldPath): string {
  return path.map(({ jsonName }) => jsonName).join('.');
}

/**
 * Puts a text where it belongs in a request. A list takes one more each time; of a list of messages the
 * last one is filled until a field of it comes again, which begins the next one:
 * `selections.timeframe=1m&selections.timeframe=1s` are two selections.
 */
export function putText(
  request: Record<string, JsonValue>,
  path: FieldPath,
  text: string,
  violations: Violations,
): void {
  const name = nameOf(path);
  const place = path
    .slice(0, -1)
    .reduce<Place>((place, field, index) => inner(place, field, path.slice(index + 1)), request);
  const field = path.at(-1);
  if (field === undefined) return;
  const value = valueJson(field, text, name, violations);
  if (field.fieldKind === 'list') {
    const list = (place[field.name] ??= []);
    if (Array.isArray(list) && value !== undefined) list.push(value);
  } else if (field.name in place) {
    violations.add(name, 'expected it once');
  } else if (value !== undefined) {
    place[field.name] = value;
  }
}

type Place = Record<string, JsonValue>;

/** The message in `place` that a field with this way onwards goes into. */
function inner(place: Place, field: DescField, rest: FieldPath): Place {
  if (field.fieldKind !== 'list') return objectIn((place[field.name] ??= {}));
  const list = (place[field.name] ??= []);
  if (!Array.isArray(list)) return {};
  const last = list.at(-1);
  if (last !== undefined && !isSet(objectIn(last), rest)) return objectIn(last);
  const next = {};
  list.push(next);
  return next;
}

/** Whether a field that holds one value has it already. */
function isSet(message: Place, [field, ...rest]: FieldPath): boolean {
  const value = field === undefined ? undefined : message[field.name];
  if (value === undefined || field?.fieldKind === 'list') return false;
  return rest.length === 0 || isSet(objectIn(value), rest);
}

function objectIn(value: JsonValue): Place {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
