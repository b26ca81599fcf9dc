import { create } from '@bufbuild/protobuf';
import type {
  ListExecutionsRequest,
  ListExecutionsResponse,
  ListPositionHistoryRequest,
  ListPositionHistoryResponse,
  ListPositionsRequest,
  ListPositionsResponse,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import {
  ListExecutionsResponseSchema,
  ListPositionHistoryResponseSchema,
  ListPositionsResponseSchema,
  PositionBinSchema,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import type { Micros } from '../../base/clock.ts';
import { formatDecimal } from '../../base/decimal.ts';
import { defaultAccount } from '../../domain/account.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { PositionBin } from '../../position/position-history.ts';
import { exactMicros } from '../exact-micros.ts';
import { timeframeFromMessage, timestampOf } from '../messages.ts';
import { executionToMessage, markedPositionToMessage } from './position-messages.ts';
import { positionNameOf, refuseForNoExecutions } from './position-names.ts';
import {
  formatExecutionPageToken,
  formatHistoryPageToken,
  formatPositionPageToken,
  parseExecutionPageToken,
  parseHistoryPageToken,
  parsePositionPageToken,
} from './position-page-token.ts';
import type { PositionServiceParts } from './position-service.ts';

const defaultPositions = 100;
const defaultRows = 500;

/** One page of an account's latest positions. */
export async function listPositions(
  { positions, marks }: PositionServiceParts,
  { account, pageSize, pageToken }: ListPositionsRequest,
  signal: AbortSignal,
): Promise<ListPositionsResponse> {
  const limit = pageSize === 0 ? defaultPositions : pageSize;
  const found = await positions.reader.positions(account || defaultAccount, {
    after: parsePositionPageToken(pageToken),
    // One more than asked for shows whether there is a next page.
    limit: limit + 1,
    signal,
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return create(ListPositionsResponseSchema, {
    positions: page.map((position) => markedPositionToMessage(position, marks.mark(position))),
    nextPageToken: found.length > limit && last ? formatPositionPageToken(last) : '',
  });
}

/** One page of bins. @throws Refusal (notFound) where there are no executions at all */
export async function listHistory(
  { positions, executions, directory, clock }: PositionServiceParts,
  request: ListPositionHistoryRequest,
  signal: AbortSignal,
): Promise<ListPositionHistoryResponse> {
  const name = positionNameOf(directory, request);
  const page = parseHistoryPageToken(request.pageToken);
  const { start, end } = spanOf(request);
  const edge = { ...name, limit: 1 };
  const [[first], [last]] = await Promise.all([
    executions.list(edge),
    executions.list({ ...edge, newestFirst: true }),
  ]);
  if (first === undefined || last === undefined) return refuseForNoExecutions(name);
  const behindLast = last.executedTime + 1;
  const { bins, next } = await positions.reader.history(name, {
    bin: timeframeFromMessage(request.bin),
    from: Math.max(page ?? start ?? 0, first.executedTime),
    // What is asked for is told up to now: nobody knows what will be held then.
    to: end === undefined ? behindLast : Math.min(end, Math.max(clock.now(), behindLast)),
    limit: request.pageSize === 0 ? defaultRows : request.pageSize,
    signal,
  });
  return create(ListPositionHistoryResponseSchema, {
    bins: bins.map(binToMessage),
    nextPageToken: next === undefined ? '' : formatHistoryPageToken(next),
  });
}

/** @throws Refusal for times that are no whole microseconds, or the wrong way round */
function spanOf(request: Pick<ListExecutionsRequest, 'startTime' | 'endTime'>): {
  readonly start: Micros | undefined;
  readonly end: Micros | undefined;
} {
  const start = request.startTime && exactMicros('start_time', request.startTime);
  const end = request.endTime && exactMicros('end_time', request.endTime);
  if (start !== undefined && end !== undefined && start > end) {
    throw new Refusal('invalid', 'start_time: expected no later than end_time', {
      field: 'start_time',
    });
  }
  return { start, end };
}

function binToMessage(bin: PositionBin) {
  return create(PositionBinSchema, {
    startTime: timestampOf(bin.openTime),
    endTime: timestampOf(bin.closeTime),
    openQuantity: formatDecimal(bin.openQuantity),
    highQuantity: formatDecimal(bin.highQuantity),
    lowQuantity: formatDecimal(bin.lowQuantity),
    closeQuantity: formatDecimal(bin.closeQuantity),
    tradedVolume: formatDecimal(bin.tradedVolume),
  });
}

/** One page of executions. */
export async function listExecutions(
  { executions, directory }: PositionServiceParts,
  request: ListExecutionsRequest,
): Promise<ListExecutionsResponse> {
  const name = positionNameOf(directory, request);
  const { start, end } = spanOf(request);
  const limit = request.pageSize === 0 ? defaultRows : request.pageSize;
  const found = await executions.list({
    ...name,
    from: start,
    to: end,
    after: parseExecutionPageToken(name.instrument, request.pageToken),
    newestFirst: request.newestFirst,
    limit: limit + 1,
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return create(ListExecutionsResponseSchema, {
    executions: page.map(executionToMessage),
    nextPageToken: found.length > limit && last ? formatExecutionPageToken(last) : '',
  });
}
