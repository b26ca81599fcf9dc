import type { DescService, JsonObject } from '@bufbuild/protobuf';
import { bindingsOf } from '../bindings.ts';
import type { Binding } from '../bindings.ts';
import { nameOf } from '../field-paths.ts';
import type { FieldPath } from '../field-paths.ts';
import type { PathTemplate } from '../path-template.ts';
import { contentTypes } from '../stream-format.ts';
import type { Comments } from './comments.ts';
import { Schemas } from './schemas.ts';

/** The plain HTTP side of these services as an OpenAPI 3.1 document. */
export function openApiDocument(services: readonly DescService[], comments: Comments): JsonObject {
  const schemas = new Schemas(comments);
  const paths = new Map<string, JsonObject>();
  const tags = new Map<string, JsonObject>();
  for (const { name, typeName, methods } of services) {
    for (const rpc of methods) {
      for (const [index, binding] of bindingsOf(rpc).entries()) {
        const path = openApiPath(binding.template);
        const id = `${name}_${rpc.name}${index === 0 ? '' : `_${index + 1}`}`;
        const operation = { operationId: id, ...operationOf(binding, schemas, comments) };
        paths.set(path, { ...paths.get(path), [binding.httpMethod.toLowerCase()]: operation });
        tags.set(name, { name, description: comments.get(typeName) ?? '' });
      }
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Tradewind', version: 'v1', description },
    tags: [...tags.values()],
    paths: Object.fromEntries([...paths].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: { ...schemas.components, 'google.rpc.Status': statusSchema },
      responses: { Error: errorResponse },
    },
  };
}

/** A template as OpenAPI writes it, which knows no patterns: one that is no choice is written out. */
export function openApiPath({ text }: PathTemplate): string {
  return text.replaceAll(/\{([^{}=]+)=([^{}]+)\}/gu, (_, name: string, pattern: string) =>
    pattern.includes('*') ? `{${name}}` : pattern,
  );
}

function operationOf(binding: Binding, schemas: Schemas, comments: Comments): JsonObject {
  const { rpc, reader, responseBody } = binding;
  const answer = responseBody ? schemas.ofField(responseBody) : schemas.ofMessage(rpc.output);
  const isStream = rpc.methodKind === 'server_streaming';
  const types = isStream ? Object.values(contentTypes) : ['application/json'];
  const parameter = (path: FieldPath, place: 'path' | 'query') => ({
    name: nameOf(path),
    in: place,
    required: place === 'path',
    description: commentOn(path, comments),
    schema: schemas.ofText(path),
  });
  return {
    tags: [rpc.parent.name],
    description: comments.get(`${rpc.parent.typeName}.${rpc.name}`) ?? '',
    parameters: [
      ...reader.pathFields.map((path) => parameter(path, 'path')),
      ...reader.queryFields.map((path) => parameter(path, 'query')),
    ],
    ...(reader.body === undefined
      ? {}
      : {
          requestBody: {
            content: { 'application/json': { schema: bodySchema(binding, schemas) } },
          },
        }),
    responses: {
      '200': {
        description: isStream ? streamDescription : 'The answer.',
        content: Object.fromEntries(types.map((type) => [type, { schema: answer }])),
      },
      default: { $ref: '#/components/responses/Error' },
    },
  };
}

function bodySchema({ rpc, reader }: Binding, schemas: Schemas): JsonObject {
  return reader.body === '*' || reader.body === undefined
    ? schemas.ofMessage(rpc.input)
    : schemas.ofField(reader.body);
}

function commentOn(path: FieldPath, comments: Comments): string {
  const field = path.at(-1);
  if (field === undefined) return '';
  return comments.get(`${field.parent.typeName}.${field.name}`) ?? '';
}

const description = [
  'Every RPC over plain HTTP, as the google.api.http annotations of its contract say.',
  'Prices and quantities are exact decimals, in strings; numbers are read too, digit by digit.',
  'Times are RFC 3339, in UTC, durations such as 90s, 5m or 1h30m; 64-bit integers are strings.',
].join(' ');

const streamDescription = [
  'A stream that goes on until the client leaves: a line of JSON for each message, or with',
  '"Accept: text/event-stream" an event, whose id Last-Event-ID resumes after. If it fails, the last',
  'line is {"error": …}, the last event one of type "error", with a google.rpc.Status.',
].join(' ');

const violationsSchema: JsonObject = {
  type: 'array',
  items: {
    type: 'object',
    required: ['field', 'description'],
    properties: {
      field: {
        type: 'string',
        description: 'By the name of the contract: selections[0].timeframe.',
      },
      description: { type: 'string', description: 'What was expected, and what it was.' },
    },
  },
};

const statusSchema: JsonObject = {
  type: 'object',
  description: 'Why a request is refused.',
  required: ['code', 'message', 'details'],
  properties: {
    code: { type: 'integer', description: 'The status code of gRPC, e.g. 3: INVALID_ARGUMENT.' },
    message: { type: 'string', description: 'What was expected, for people.' },
    details: {
      type: 'array',
      description: 'More for programs: a google.rpc.BadRequest names the fields that are wrong.',
      items: {
        type: 'object',
        properties: { '@type': { type: 'string' }, fieldViolations: violationsSchema },
        additionalProperties: {},
      },
    },
  },
};

const errorResponse: JsonObject = {
  description: 'Refused or failed.',
  content: { 'application/json': { schema: { $ref: '#/components/schemas/google.rpc.Status' } } },
};
