import { create } from '@bufbuild/protobuf';
import type {
  RebuildPositionsRequest,
  RebuildPositionsResponse,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { RebuildPositionsResponseSchema } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { exactMicros } from '../exact-micros.ts';
import { NewestNumber } from './newest-number.ts';
import { markedPositionToMessage } from './position-messages.ts';
import { positionNameOf, refuseForNoExecutions } from './position-names.ts';
import type { PositionServiceParts } from './position-service.ts';

/** Rebuilds one position and tells how far it is; a slow reader is told less often. */
export async function* rebuild(
  { positions, marks, directory }: PositionServiceParts,
  request: RebuildPositionsRequest,
  signal: AbortSignal,
): AsyncGenerator<RebuildPositionsResponse> {
  const name = positionNameOf(directory, request);
  const after = request.after && exactMicros('after', request.after);
  const latest =
    (await positions.reader.position(name, undefined, signal)) ?? refuseForNoExecutions(name);
  const before =
    after === undefined ? undefined : await positions.reader.position(name, after, signal);
  // Late ones may be recorded between the two questions.
  const total = Math.max(0, latest.executionCount - (before?.executionCount ?? 0));
  const totalCount = BigInt(total);
  // What is kept comes in pieces, and the one that `after` lies in is folded whole; meanwhile more may
  // be recorded. Neither is what was asked for.
  const answer = (folded: number) =>
    create(RebuildPositionsResponseSchema, {
      foldedCount: BigInt(Math.min(folded, total)),
      totalCount,
    });
  const progress = new NewestNumber();
  const done = positions
    .rebuild(
      { ...name, since: after === undefined ? 0 : after + 1 },
      ({ executionCount }) => progress.set(executionCount),
      signal,
    )
    .finally(() => progress.end());
  // It is waited for below.
  done.catch(() => {});
  for (let count = await progress.next(); count !== undefined; count = await progress.next()) {
    yield answer(count);
  }
  await done;
  const position = (await positions.reader.position(name, undefined, signal)) ?? latest;
  yield create(RebuildPositionsResponseSchema, {
    foldedCount: totalCount,
    totalCount,
    complete: true,
    position: markedPositionToMessage(position, marks.mark(position)),
  });
}
