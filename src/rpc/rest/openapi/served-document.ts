import { readFile } from 'node:fs/promises';
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { RouteName } from '../route-table.ts';
import { openApiOperation, ownTag } from './own-operation.ts';
import type { OwnOperation } from './own-operation.ts';

/** What buf generate makes of the contract: everything that any server has. */
const generated = new URL('../../../../gen/openapi.json', import.meta.url);

/** A path that the contract does not have. */
export type OwnRoute = RouteName & { readonly operation: OwnOperation };

/**
 * The OpenAPI document of this server: of the whole contract, the operations that are served here, and
 * what it serves besides. `isServed` is asked with "GET" and "/v1/orders/{order_id}".
 */
export async function servedDocument(
  isServed: (httpMethod: string, path: string) => boolean,
  ownRoutes: readonly OwnRoute[],
): Promise<JsonObject> {
  const document = objectIn(JSON.parse(await readFile(generated, 'utf8')));
  const paths = new Map<string, JsonObject>();
  for (const [path, item] of Object.entries(objectIn(document['paths']))) {
    const operations = Object.entries(objectIn(item)).filter(([method]) =>
      isServed(method.toUpperCase(), path),
    );
    if (operations.length > 0) paths.set(path, Object.fromEntries(operations));
  }
  for (const { httpMethod, path, operation } of ownRoutes) {
    const told = { [httpMethod.toLowerCase()]: openApiOperation(operation) };
    paths.set(path, { ...paths.get(path), ...told });
  }
  const tags = [...listIn(document['tags']), ownTag];
  return { ...document, tags, paths: Object.fromEntries(paths) };
}

function objectIn(json: JsonValue | undefined): JsonObject {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json;
  throw new TypeError(unexpected);
}

function listIn(json: JsonValue | undefined): readonly JsonValue[] {
  if (Array.isArray(json)) return json;
  throw new TypeError(unexpected);
}

const unexpected = 'Expected gen/openapi.json to be what buf generate writes';
