import { fromJsonString } from '@bufbuild/protobuf';
import { ValueSchema } from '@bufbuild/protobuf/wkt';
import { ExactNumber, parseExactJson } from '../../base/exact-json.ts';

export type ExactJson =
  | string
  | boolean
  | null
  | ExactNumber
  | readonly ExactJson[]
  | { readonly [name: string]: ExactJson };

/**
 * Reads JSON without touching its numbers.
 * @throws SyntaxError for what is no JSON, has a name twice in one object, or is nested deeper than
 * 100 levels
 */
export function parseStrictJson(text: string): ExactJson {
  JSON.parse(text);
  try {
    // Its parser is strict where JSON.parse is not, and bounds the depth before we follow it down.
    fromJsonString(ValueSchema, text);
  } catch (cause) {
    const expected = 'Expected every name once in an object, and at most 100 levels';
    throw new SyntaxError(expected, { cause });
  }
  return parseExactJson(text) as ExactJson;
}

export function isJsonObject(json: ExactJson): json is { readonly [name: string]: ExactJson } {
  return (
    typeof json === 'object' &&
    json !== null &&
    !Array.isArray(json) &&
    !(json instanceof ExactNumber)
  );
}
