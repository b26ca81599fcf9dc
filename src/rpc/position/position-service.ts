import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import type {
  PositionService,
  QueryPositionRequest,
  QueryPositionResponse,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { QueryPositionResponseSchema } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import type { Clock } from '../../base/clock.ts';
import type { Positions } from '../../position/positions.ts';
import type { ExecutionReader } from '../../store/position/execution-reader.ts';
import type { ExecutionStore } from '../../store/position/execution-store.ts';
import type { FreezeStore } from '../../store/position/freeze-store.ts';
import { exactMicros } from '../exact-micros.ts';
import type { InstrumentDirectory } from '../instrument-directory.ts';
import { freezePositions, listFreezes } from './position-freezes.ts';
import { listExecutions, listHistory, listPositions } from './position-lists.ts';
import type { PositionMarks } from './position-marks.ts';
import { markedPositionToMessage, positionToMessage } from './position-messages.ts';
import { positionNameOf, refuseForNoExecutions } from './position-names.ts';
import type { PositionStream } from './position-stream.ts';
import { rebuild } from './rebuild-positions.ts';
import { recordBatch } from './record-batch.ts';
import { inOutage, streamInOutage } from '../store-outage.ts';

export type PositionServiceParts = {
  readonly positions: Positions;
  readonly store: ExecutionStore;
  readonly executions: ExecutionReader;
  readonly freezes: FreezeStore;
  readonly stream: PositionStream;
  readonly marks: PositionMarks;
  readonly directory: InstrumentDirectory;
  readonly clock: Clock;
};

/** PositionService over the positions and what is stored. */
export function positionService(parts: PositionServiceParts): ServiceImpl<typeof PositionService> {
  return {
    recordExecutions: (request) => inOutage(recordBatch(parts, request)),
    queryPosition: (request, { signal }) => inOutage(queryPosition(parts, request, signal)),
    listPositions: (request, { signal }) => inOutage(listPositions(parts, request, signal)),
    listPositionHistory: (request, { signal }) => inOutage(listHistory(parts, request, signal)),
    listExecutions: (request) => inOutage(listExecutions(parts, request)),
    freezePositions: (request) => inOutage(freezePositions(parts, request)),
    listFreezes: (request) => inOutage(listFreezes(parts, request)),
    streamPositions: (request, context) => streamInOutage(parts.stream.stream(request, context)),
    rebuildPositions: (request, { signal }) => streamInOutage(rebuild(parts, request, signal)),
  };
}

/** @throws Refusal (notFound) where there is no execution by then */
async function queryPosition(
  { positions, marks, directory }: PositionServiceParts,
  request: QueryPositionRequest,
  signal: AbortSignal,
): Promise<QueryPositionResponse> {
  const name = positionNameOf(directory, request);
  const at = request.at && exactMicros('at', request.at);
  const position =
    (await positions.reader.position(name, at, signal)) ?? refuseForNoExecutions(name, at);
  return create(QueryPositionResponseSchema, {
    position:
      at === undefined
        ? markedPositionToMessage(position, marks.mark(position))
        : positionToMessage(position),
  });
}
