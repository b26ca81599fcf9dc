import type { JsonObject } from '@bufbuild/protobuf';

/** What /openapi.json tells of a path that is answered by hand. */
export type OwnOperation = {
  /** "OrderLimit": one name in the whole document. */
  readonly id: string;
  readonly description: string;
  /** The schema of the JSON body; none: no body is read. */
  readonly body?: JsonObject;
  readonly answer: OwnAnswer;
  /** How refusals are answered, where they are no google.rpc.Status. */
  readonly refusal?: OwnAnswer;
};

export type OwnAnswer = {
  readonly contentType: string;
  readonly schema: JsonObject;
};

/** A plain text. */
export const textAnswer: OwnAnswer = { contentType: 'text/plain', schema: { type: 'string' } };

/** JSON of a schema; by its full name, that of a message: "tradewind.order.v1.Order". */
export function jsonAnswer(schema: JsonObject | string): OwnAnswer {
  const told = typeof schema === 'string' ? { $ref: `#/components/schemas/${schema}` } : schema;
  return { contentType: 'application/json', schema: told };
}

/** An operation as OpenAPI writes it. */
export function openApiOperation({ id, description, body, ...own }: OwnOperation): JsonObject {
  const { answer, refusal } = own;
  return {
    tags: [ownTag.name],
    operationId: id,
    description,
    parameters: [],
    ...(body === undefined
      ? {}
      : { requestBody: { content: { 'application/json': { schema: body } } } }),
    responses: {
      '200': responseOf('The answer.', answer),
      default:
        refusal === undefined
          ? { $ref: '#/components/responses/Error' }
          : responseOf('Refused or failed.', refusal),
    },
  };
}

export const ownTag = {
  name: 'Paths',
  description: 'Paths that answer in a way of their own, beside those of the services.',
};

function responseOf(description: string, { contentType, schema }: OwnAnswer): JsonObject {
  return { description, content: { [contentType]: { schema } } };
}
