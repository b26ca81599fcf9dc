import { create, toJson } from '@bufbuild/protobuf';
import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import type {
  Execution as ExecutionMessage,
  Position as PositionMessage,
} from '../../../gen/tradewind/position/v1/position_pb.ts';
import { ExecutionSchema, PositionSchema } from '../../../gen/tradewind/position/v1/position_pb.ts';
import type { PositionBin } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { PositionBinSchema } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import type { Micros } from '../../base/clock.ts';
import { formatDecimal, formatProduct } from '../../base/decimal.ts';
import type { Execution } from '../../domain/execution.ts';
import { averageOpenPrice } from '../../domain/position.ts';
import type { Position } from '../../domain/position.ts';
import { timestampOf } from '../messages.ts';
import type { PositionMark } from './position-marks.ts';

// Between executions, positions and the wire.

export function executionToMessage(
  execution: Execution & { readonly recordedTime: Micros },
): ExecutionMessage {
  const { executedTime, decidedTime, recordedTime, corrects = '' } = execution;
  const message = create(ExecutionSchema, {
    source: execution.source,
    sourceId: execution.sourceId,
    account: execution.account,
    instrument: execution.instrument,
    quantity: formatDecimal(execution.quantity),
    price: formatDecimal(execution.price),
    fee: formatDecimal(execution.fee),
    executedTime: timestampOf(executedTime),
    corrects,
    recordedTime: timestampOf(recordedTime),
  });
  if (decidedTime !== undefined) message.decidedTime = timestampOf(decidedTime);
  return message;
}

/** A position, without what it is worth at the moment. */
export function positionToMessage(position: Position): PositionMessage {
  const message = create(PositionSchema, {
    account: position.account,
    instrument: position.instrument,
    quantity: formatDecimal(position.quantity),
    cost: formatProduct(position.cost),
    realizedProfit: formatProduct(position.realizedProfit),
    fees: formatDecimal(position.fees),
    executionCount: BigInt(position.executionCount),
    asOfTime: timestampOf(position.asOf),
    lastExecutedTime: timestampOf(position.lastExecutedTime),
  });
  const average = averageOpenPrice(position);
  if (average !== undefined) message.averageOpenPrice = formatDecimal(average);
  return message;
}

/** A position, and what it is worth at the moment, where that is known. */
export function markedPositionToMessage(
  position: Position,
  mark: PositionMark | undefined,
): PositionMessage {
  const message = positionToMessage(position);
  if (mark === undefined) return message;
  message.markPrice = formatDecimal(mark.markPrice);
  message.unrealizedProfit = formatProduct(mark.unrealizedProfit);
  return message;
}

/** A line of JSON each, with the names and forms of the contract. */
export const positionToJson = (position: PositionMessage) => lineOf(PositionSchema, position);
export const executionToJson = (execution: ExecutionMessage) => lineOf(ExecutionSchema, execution);
export const binToJson = (bin: PositionBin) => lineOf(PositionBinSchema, bin);

function lineOf<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc>): string {
  return JSON.stringify(toJson(schema, message, { alwaysEmitImplicit: true }));
}
