import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import type { Position as PositionMessage } from '../../gen/tradewind/position/v1/position_pb.ts';
import type {
  Freeze as FreezeMessage,
  ListExecutionsRequest,
  ListPositionHistoryRequest,
  PositionService,
  RebuildPositionsRequest,
  RebuildPositionsResponse,
} from '../../gen/tradewind/position/v1/position_service_pb.ts';
import {
  FreezePositionsResponseSchema,
  FreezeSchema,
  ListExecutionsResponseSchema,
  ListFreezesResponseSchema,
  ListPositionHistoryResponseSchema,
  ListPositionsResponseSchema,
  PositionBinSchema,
  QueryPositionResponseSchema,
  RebuildPositionsResponseSchema,
} from '../../gen/tradewind/position/v1/position_service_pb.ts';
import type { Clock } from '../base/clock.ts';
import { formatDecimal } from '../base/decimal.ts';
import { defaultAccount } from '../domain/account.ts';
import type { Position, PositionName } from '../domain/position.ts';
import { Refusal } from '../domain/refusal.ts';
import type { PositionBin } from '../position/position-history.ts';
import type { Positions } from '../position/positions.ts';
import type { ExecutionReader } from '../store/execution-reader.ts';
import type { ExecutionStore } from '../store/execution-store.ts';
import type { Freeze, FreezeStore } from '../store/freeze-store.ts';
import { exactMicros } from './exact-micros.ts';
import type { InstrumentDirectory } from './instrument-directory.ts';
import { microsOf, timeframeFromMessage, timestampOf } from './messages.ts';
import { NewestNumber } from './newest-number.ts';
import type { PositionMarks } from './position-marks.ts';
import { executionToMessage, positionToMessage } from './position-messages.ts';
import {
  formatExecutionPageToken,
  formatHistoryPageToken,
  formatPositionPageToken,
  parseExecutionPageToken,
  parseHistoryPageToken,
  parsePositionPageToken,
} from './position-page-token.ts';
import { positionInstrument } from './position-instrument.ts';
import type { PositionStream } from './position-stream.ts';
import { recordBatch } from './record-batch.ts';

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

const defaultPositions = 100;
const defaultRows = 500;
/** Freezes are made by hand, a few a year. */
const mostFreezes = 10_000;

/** PositionService over the positions and what is stored. */
export function positionService(parts: PositionServiceParts): ServiceImpl<typeof PositionService> {
  const { positions, freezes, stream, directory } = parts;
  return {
    recordExecutions: (request) => recordBatch(parts, request),
    streamPositions: (request, context) => stream.stream(request, context),
    rebuildPositions: (request, context) => rebuild(parts, request, context.signal),
    listPositionHistory: (request) => listHistory(parts, request),
    listExecutions: (request) => listExecutions(parts, request),

    async queryPosition(request) {
      const name = nameOf(directory, request);
      const at = request.at && exactMicros('at', request.at);
      const position = (await positions.reader.position(name, at)) ?? none(name, at);
      const message = at === undefined ? shown(parts, position) : positionToMessage(position);
      return create(QueryPositionResponseSchema, { position: message });
    },

    async listPositions({ account, pageSize, pageToken }) {
      const limit = pageSize === 0 ? defaultPositions : pageSize;
      const found = await positions.reader.positions(account || defaultAccount, {
        after: parsePositionPageToken(pageToken),
        // One more than asked for shows whether there is a next page.
        limit: limit + 1,
      });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return create(ListPositionsResponseSchema, {
        positions: page.map((position) => shown(parts, position)),
        nextPageToken: found.length > limit && last ? formatPositionPageToken(last) : '',
      });
    },

    async freezePositions({ account, instrument, until }) {
      if (until === undefined) throw new Refusal('invalid', 'until: expected a time');
      const scope = {
        account: account || undefined,
        instrument: instrument && positionInstrument(directory, 'instrument', instrument),
      };
      const freeze = await freezes.freeze(
        { ...scope, instrument: scope.instrument || undefined },
        exactMicros('until', until),
      );
      return create(FreezePositionsResponseSchema, { freeze: freezeToMessage(freeze) });
    },

    async listFreezes(request) {
      const instrument =
        request.instrument && positionInstrument(directory, 'instrument', request.instrument);
      const concerns = (asked: string, frozen: string | undefined) =>
        asked === '' || frozen === undefined || frozen === asked;
      const all = await freezes.list(0, mostFreezes);
      const found = all.filter(
        (freeze) =>
          concerns(request.account, freeze.account) && concerns(instrument, freeze.instrument),
      );
      const latestFirst = found.toSorted((a, b) => b.until - a.until || b.freezeId - a.freezeId);
      return create(ListFreezesResponseSchema, { freezes: latestFirst.map(freezeToMessage) });
    },
  };
}

function nameOf(
  directory: InstrumentDirectory,
  { account, instrument }: { readonly account: string; readonly instrument: string },
): PositionName {
  return {
    account: account || defaultAccount,
    instrument: positionInstrument(directory, 'instrument', instrument),
  };
}

function none({ account, instrument }: PositionName, at: number | undefined): never {
  const when = at === undefined ? '' : ' at or before that time';
  throw new Refusal(
    'notFound',
    `There are no executions of ${instrument} in the account ${account}${when}`,
  );
}

/** A latest position, with what it is worth at the moment. */
function shown({ marks }: PositionServiceParts, position: Position): PositionMessage {
  return Object.assign(positionToMessage(position), marks.of(position));
}

async function listHistory(
  { positions, executions, directory }: PositionServiceParts,
  request: ListPositionHistoryRequest,
) {
  const name = nameOf(directory, request);
  const edge = { ...name, limit: 1 };
  const [[first], [last]] = await Promise.all([
    executions.list(edge),
    executions.list({ ...edge, newestFirst: true }),
  ]);
  if (first === undefined || last === undefined) return none(name, undefined);
  const page = parseHistoryPageToken(request.pageToken);
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

async function listExecutions(
  { executions, directory }: PositionServiceParts,
  request: ListExecutionsRequest,
) {
  const name = nameOf(directory, request);
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

async function* rebuild(
  parts: PositionServiceParts,
  request: RebuildPositionsRequest,
  signal: AbortSignal,
): AsyncGenerator<RebuildPositionsResponse> {
  const { positions, directory } = parts;
  const name = nameOf(directory, request);
  const after = request.after && exactMicros('after', request.after);
  const latest = (await positions.reader.position(name)) ?? none(name, undefined);
  const before = after === undefined ? undefined : await positions.reader.position(name, after);
  const totalCount = BigInt(latest.executionCount - (before?.executionCount ?? 0));
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
    yield create(RebuildPositionsResponseSchema, { foldedCount: BigInt(count), totalCount });
  }
  const { executionCount } = await done;
  const position = (await positions.reader.position(name)) ?? latest;
  yield create(RebuildPositionsResponseSchema, {
    foldedCount: BigInt(executionCount),
    totalCount,
    complete: true,
    position: shown(parts, position),
  });
}

function freezeToMessage({
  freezeId,
  account,
  instrument,
  until,
  recordedTime,
}: Freeze): FreezeMessage {
  return create(FreezeSchema, {
    freezeId: String(freezeId),
    account: account ?? '',
    instrument: instrument ?? '',
    until: timestampOf(until),
    createdTime: timestampOf(recordedTime),
  });
}
