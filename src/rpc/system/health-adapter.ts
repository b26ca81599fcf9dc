import { toJson } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import {
  GetHealthResponseSchema,
  SystemService,
} from '../../../gen/tradewind/system/v1/system_service_pb.ts';
import type { RestAdapter } from '../rest.ts';
import { jsonAnswer } from '../rest/openapi/own-operation.ts';
import { jsonOptions } from '../rest/stream-format.ts';

/** `GET /health`: what GetHealth answers, with a status that says as much to whoever reads only that. */
export const healthAdapter: RestAdapter = {
  httpMethod: 'GET',
  path: '/health',
  operation: {
    id: 'Health',
    description: 'How the server and what it depends on are: 503 where status is "down".',
    answer: jsonAnswer(GetHealthResponseSchema.typeName),
    refusal: jsonAnswer(GetHealthResponseSchema.typeName),
  },
  answer: async (call) => {
    call.refuseParameters();
    const health = await createClient(SystemService, call.transport).getHealth({}, call.options);
    call.setHeader('cache-control', 'no-store');
    const httpStatus = health.status === 'down' ? 503 : 200;
    await call.sendJson(httpStatus, toJson(GetHealthResponseSchema, health, jsonOptions));
  },
};
