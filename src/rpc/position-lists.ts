import { create } from '@bufbuild/protobuf';
import type {
  ListExecutionsRequest,
  ListExecutionsResponse,
  ListPositionHistoryRequest,
  ListPositionHistoryResponse,
  ListPositionsRequest,
  ListPositionsResponse,
} from '../../gen/tradewind/position/v1/position_service_pb.ts';
import {
  ListExecutionsResponseSchema,
  ListPositionHistoryResponseSchema,
  ListPositionsResponseSchema,
  PositionBinSchema,
} from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { formatDecimal } from '../base/decimal.ts';
import { defaultAccount } from '../domain/account.ts';
import type { PositionBin } from '../position/position-history.ts';
import { microsOf, timeframeFromMessage, timestampOf } from './messages.ts';
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
): Promise<ListPositionsResponse> {
  const limit = pageSize === 0 ? defaultPositions : pageSize;
  const found = await positions.reader.positions(account || defaultAccount, {
    after: parsePositionPageToken(pageToken),
    // One more than asked for shows whether there is a next page.
    limit: limit + 1,
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
  { positions, executions, directory }: PositionServiceParts,
  request: ListPositionHistoryRequest,
): Promise<ListPositionHistoryResponse> {
  const name = positionNameOf(directory, request);
  const page = parseHistoryPageToken(request.pageToken);
  const edge = { ...name, limit: 1 };
  const [[first], [last]] = await Promise.all([
    executions.list(edge),
    executions.list({ ...edge, newestFirst: true }),
  ]);
  if (first === undefined || last === undefined) return refuseForNoExecutions(name);
  const start = page ?? (request.startTime ? microsOf(request.startTime) : 0);
  const end = request.endTime ? microsOf(request.endTime) : Infinity;
  const { bins, next } = await positions.reader.history(name, {
    bin: timeframeFromMessage(request.bin),
    from: Math.max(start, first.executedTime),
    to: Math.min(end, last.executedTime + 1),
    limit: request.pageSize === 0 ? defaultRows : request.pageSize,
  });
  return create(ListPositionHistoryResponseSchema, {
    bins: bins.map(binToMessage),
    nextPageToken: next === undefined ? '' : formatHistoryPageToken(next),
  });
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
  const limit = request.pageSize === 0 ? defaultRows : request.pageSize;
  const found = await executions.list({
    ...name,
    from: request.startTime && microsOf(request.startTime),
    to: request.endTime && microsOf(request.endTime),
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
