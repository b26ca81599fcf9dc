import { create, toJson } from '@bufbuild/protobuf';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import type {
  RecordExecutionsRequest,
  RecordExecutionsResponse,
  RecordResult,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import {
  RecordExecutionsResponseSchema,
  RecordOutcome as RecordOutcomeMessage,
  RecordResultSchema,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { Code } from '@connectrpc/connect';
import type { Clock, Micros } from '../../base/clock.ts';
import { orderSource } from '../../domain/execution.ts';
import type { Execution } from '../../domain/execution.ts';
import { Refusal } from '../../domain/refusal.ts';
import { maximumAhead } from '../../store/position/execution-store.ts';
import type { ExecutionStore, RecordOutcome } from '../../store/position/execution-store.ts';
import type { InstrumentDirectory } from '../instrument-directory.ts';
import { codeOfReason } from '../interceptors.ts';
import { timestampOf } from '../messages.ts';
import { executionFromMessage } from './new-execution.ts';

export type RecordParts = {
  readonly store: ExecutionStore;
  readonly directory: InstrumentDirectory;
  readonly clock: Clock;
};

/** The source of batches that name none. */
const defaultSource = 'rpc';

/**
 * Records a batch, and answers for each row in its place.
 * @throws Refusal for the batch as such; what the store says in an outage
 */
export async function recordBatch(
  { store, directory, clock }: RecordParts,
  request: RecordExecutionsRequest,
): Promise<RecordExecutionsResponse> {
  const source = request.source === '' ? defaultSource : request.source;
  if (source === orderSource) {
    throw new Refusal('invalid', `source: "${orderSource}" is kept for fills of our orders`, {
      field: 'source',
    });
  }
  const rules = { source, directory, latestTime: clock.now() + maximumAhead };
  const sound: Execution[] = [];
  const results: (RecordResult | undefined)[] = request.executions.map((row) => {
    try {
      sound.push(executionFromMessage(row, rules));
      return undefined;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return refusedRow(error.message, error.field, codeOfReason[error.reason]);
    }
  });
  const outcomes = (await store.record(sound)).values();
  return create(RecordExecutionsResponseSchema, {
    results: results.map((result) => result ?? resultOf(outcomes.next().value)),
  });
}

/** What is answered for a row that breaks a rule. */
export function refusedRow(
  reason: string,
  field = '',
  code: Code = Code.InvalidArgument,
): RecordResult {
  const outcome = RecordOutcomeMessage.REFUSED;
  return create(RecordResultSchema, { outcome, reason, field, code });
}

function resultOf(outcome: RecordOutcome | undefined): RecordResult {
  switch (outcome?.type) {
    case 'recorded':
      return create(RecordResultSchema, { outcome: RecordOutcomeMessage.RECORDED });
    case 'duplicate':
      return create(RecordResultSchema, { outcome: RecordOutcomeMessage.DUPLICATE });
    case 'conflict':
      return create(RecordResultSchema, {
        outcome: RecordOutcomeMessage.CONFLICT,
        code: Code.AlreadyExists,
        field: 'source_id',
        reason: 'source_id: it is that of an execution with other contents',
      });
    case 'frozen':
      return create(RecordResultSchema, {
        outcome: RecordOutcomeMessage.REFUSED,
        code: Code.FailedPrecondition,
        field: 'executed_time',
        freezeId: String(outcome.freeze.freezeId),
        reason: `executed_time: frozen up to and with ${isoOf(outcome.freeze.until)} by the freeze ${outcome.freeze.freezeId}`,
      });
    case 'refused':
      return refusedRow(outcome.reason, outcome.field);
    case undefined:
      throw new Error('Expected an outcome for each execution');
    default:
      return outcome satisfies never;
  }
}

/** RFC 3339, to the microsecond. */
function isoOf(time: Micros): string {
  return toJson(TimestampSchema, timestampOf(time));
}
