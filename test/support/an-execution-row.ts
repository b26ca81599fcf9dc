import type { MessageInitShape } from '@bufbuild/protobuf';
import type { NewExecutionSchema } from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { timestampOf } from '../../src/rpc/messages.ts';
import { noon } from './builders.ts';

/** As a client gives it to RecordExecutions. */
export type ExecutionRow = Exclude<
  MessageInitShape<typeof NewExecutionSchema>,
  { $typeName: unknown }
>;

let rows = 0;

/** A row of RecordExecutions whose id nobody else has: one of instrument 123, bought at 100 at noon. */
export function anExecutionRow(row: ExecutionRow = {}): ExecutionRow {
  return {
    sourceId: `row-${++rows}`,
    instrument: '123',
    quantity: '1',
    price: '100',
    executedTime: timestampOf(noon),
    ...row,
  };
}

/** So many seconds after noon. */
export const secondsAfterNoon = (seconds: number) => timestampOf(noon + seconds * 1_000_000);
