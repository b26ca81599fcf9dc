import { fromJsonString } from '@bufbuild/protobuf';
import { ValueSchema } from '@bufbuild/protobuf/wkt';

/** A number of a JSON text, with the digits that were written: a float would lose some. */
export class JsonNumber {
  readonly source: string;

  constructor(source: string) {
    this.source = source;
  }
}

export type ExactJson =
  | string
  | boolean
  | null
  | JsonNumber
  | readonly ExactJson[]
  | { readonly [name: string]: ExactJson };

/** JSON.parse hands a third argument to its reviver, which TypeScript does not know yet. */
type Reviver = (
  this: unknown,
  key: string,
  value: unknown,
  context?: { source: string },
) => unknown;

const keepDigits: Reviver = (_key, value, context) =>
  typeof value === 'number' ? new JsonNumber(context?.source ?? String(value)) : value;

/**
 * Reads JSON without touching its numbers.
 * @throws SyntaxError for what is no JSON, has a name twice in one object, or is nested deeper than
 * 100 levels
 */
export function parseExactJson(text: string): ExactJson {
  JSON.parse(text);
  try {
    // Its parser is strict where JSON.parse is not, and bounds the depth before we follow it down.
    fromJsonString(ValueSchema, text);
  } catch (cause) {
    const expected = 'Expected every name once in an object, and at most 100 levels';
    throw new SyntaxError(expected, { cause });
  }
  return JSON.parse(text, keepDigits) as ExactJson;
}

export function isJsonObject(json: ExactJson): json is { readonly [name: string]: ExactJson } {
  return (
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    !(json instanceof JsonNumber)
  );
}
