import { readFile } from 'node:fs/promises';
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';

/** What buf generate makes of the contract: everything that any server has. */
const generated = new URL('../../../../gen/openapi.json', import.meta.url);

/**
 * The OpenAPI document of this server: of the whole contract, the operations that are served here.
 * `isServed` is asked with "GET" and "/v1/orders/{order_id}".
 */
export async function servedDocument(
  isServed: (httpMethod: string, path: string) => boolean,
): Promise<JsonObject> {
  const document = objectIn(JSON.parse(await readFile(generated, 'utf8')));
  const paths = Object.entries(objectIn(document['paths'])).flatMap(([path, item]) => {
    const operations = Object.entries(objectIn(item)).filter(([method]) =>
      isServed(method.toUpperCase(), path),
    );
    return operations.length === 0 ? [] : [[path, Object.fromEntries(operations)] as const];
  });
  return { ...document, paths: Object.fromEntries(paths) };
}

function objectIn(json: JsonValue | undefined): JsonObject {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw new TypeError('Expected gen/openapi.json to be what buf generate writes');
}
