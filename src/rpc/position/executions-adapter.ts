import { create, fromJson, toJson } from '@bufbuild/protobuf';
import type { JsonObject } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import {
  NewExecutionSchema,
  PositionService,
  RecordExecutionsRequestSchema,
  RecordExecutionsResponseSchema,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import type {
  NewExecution,
  RecordExecutionsRequest,
  RecordResult,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { refusedRow } from './record-batch.ts';
import type { RestAdapter } from '../rest.ts';
import { answerHeaders } from '../rest/call-headers.ts';
import { isJsonObject } from '../rest/strict-json.ts';
import type { ExactJson } from '../rest/strict-json.ts';
import { messageJson } from '../rest/message-json.ts';
import { refusedField, RestRefusal, Violations } from '../rest/rest-refusal.ts';
import { jsonOptions } from '../rest/stream-format.ts';
import { Mismatch } from '../rest/value-json.ts';

/**
 * `POST /v1/executions` of the contract, whose rows are read one by one: what is no execution at all
 * (a year 0, a quantity that is true, a field that is misspelt) is a refused row, where the reader of
 * all other requests would refuse the whole batch.
 */
export const executionsAdapter: RestAdapter = {
  httpMethod: 'POST',
  path: '/v1/executions',
  answer: async (call) => {
    call.refuseParameters();
    const { request, refused } = readBatch(await call.readJson());
    const positions = createClient(PositionService, call.transport);
    const answer = await positions.recordExecutions(request, {
      ...call.options,
      onHeader: (header) => {
        for (const [name, value] of answerHeaders(header)) call.setHeader(name, value);
      },
    });
    const results = answer.results.map((result, index) => refused.get(index) ?? result);
    const told = create(RecordExecutionsResponseSchema, { results });
    await call.sendJson(200, toJson(RecordExecutionsResponseSchema, told, jsonOptions));
  },
};

type Batch = {
  readonly request: RecordExecutionsRequest;
  /** The rows that cannot be read, by their index. Empty ones, which are refused too, stand there. */
  readonly refused: ReadonlyMap<number, RecordResult>;
};

/** @throws RestRefusal for what is wrong with the batch as such */
function readBatch(json: ExactJson): Batch {
  if (!isJsonObject(json)) throw refusedField('body', 'expected an object');
  const { executions: rows = null, ...rest } = json;
  if (rows !== null && !isArray(rows)) throw refusedField('executions', 'expected an array');
  const request = fromJson(
    RecordExecutionsRequestSchema,
    checked((violations) => messageJson(RecordExecutionsRequestSchema, rest, '', violations)),
  );
  const refused = new Map<number, RecordResult>();
  request.executions = (rows ?? []).map((row, index) => {
    const read = readRow(row);
    if (read.$typeName === NewExecutionSchema.typeName) return read;
    refused.set(index, read);
    return create(NewExecutionSchema);
  });
  return { request, refused };
}

function readRow(row: ExactJson): NewExecution | RecordResult {
  try {
    const json = checked((violations) => messageJson(NewExecutionSchema, row, '', violations));
    for (const [name, value] of Object.entries(json)) {
      if (typeof value === 'string' && !value.isWellFormed()) {
        throw refusedField(name, 'expected well-formed Unicode');
      }
    }
    return fromJson(NewExecutionSchema, json);
  } catch (error) {
    if (error instanceof Mismatch) return refusedRow(`expected ${error.expected}`);
    if (!(error instanceof RestRefusal)) throw error;
    return refusedRow(error.message, error.violations[0]?.field);
  }
}

function checked(read: (violations: Violations) => JsonObject): JsonObject {
  const violations = new Violations();
  const json = read(violations);
  violations.throwIfAny();
  return json;
}

function isArray(json: ExactJson): json is readonly ExactJson[] {
  return Array.isArray(json);
}
