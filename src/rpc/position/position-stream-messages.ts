import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { StreamPositionsResponse } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { StreamPositionsResponseSchema } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import type { Micros } from '../../base/clock.ts';
import { formatDecimal, formatProduct } from '../../base/decimal.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { Position } from '../../domain/position.ts';
import { formatLogCursor } from '../log-cursor.ts';
import { timestampOf } from '../messages.ts';
import type { PositionMark } from './position-marks.ts';
import { markedPositionToMessage } from './position-messages.ts';
import { SharedFrame } from '../broadcast/shared-frame.ts';

// The elements of StreamPositions; `through` is the place in the log that they are cursors of.

/** Of a snapshot (`through` undefined) there is no cursor: a part of one is worth nothing. */
export function positionElement(
  position: Position,
  mark: PositionMark | undefined,
  through: number | undefined,
): StreamPositionsResponse {
  const value = markedPositionToMessage(position, mark);
  const cursor = through === undefined ? '' : formatLogCursor('p1', through);
  return elementOf({ cursor, event: { case: 'position', value } });
}

export function snapshotEnd(through: number): StreamPositionsResponse {
  return elementOf({
    cursor: formatLogCursor('p1', through),
    event: { case: 'snapshotEnd', value: {} },
  });
}

export function heartbeat(time: Micros, through: number): StreamPositionsResponse {
  return elementOf({
    cursor: formatLogCursor('p1', through),
    event: { case: 'heartbeat', value: { time: timestampOf(time) } },
  });
}

/** A slow reader gets an instrument's newest mark alone. */
export function markFrame(
  instrument: InstrumentName,
  { markPrice, unrealizedProfit, ticker }: PositionMark,
  through: number,
): SharedFrame {
  const value = {
    instrument,
    markPrice: formatDecimal(markPrice),
    unrealizedProfit: formatProduct(unrealizedProfit),
    time: timestampOf(ticker.receivedTime),
  };
  const cursor = formatLogCursor('p1', through);
  const element = elementOf({ cursor, event: { case: 'mark', value } });
  const conflateKey = `mark ${instrument}`;
  return SharedFrame.of(StreamPositionsResponseSchema, element, { conflateKey });
}

/** An element as ready bytes for many readers. */
export function frameOf(element: StreamPositionsResponse): SharedFrame {
  return SharedFrame.of(StreamPositionsResponseSchema, element, {});
}

function elementOf(
  init: MessageInitShape<typeof StreamPositionsResponseSchema>,
): StreamPositionsResponse {
  return create(StreamPositionsResponseSchema, init);
}
