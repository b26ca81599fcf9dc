import { create } from '@bufbuild/protobuf';
import type {
  Freeze as FreezeMessage,
  FreezePositionsRequest,
  FreezePositionsResponse,
  ListFreezesRequest,
  ListFreezesResponse,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import {
  FreezePositionsResponseSchema,
  FreezeSchema,
  ListFreezesResponseSchema,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Freeze } from '../../store/position/freeze-store.ts';
import { exactMicros } from '../exact-micros.ts';
import { timestampOf } from '../messages.ts';
import { positionInstrument } from './position-instrument.ts';
import type { PositionServiceParts } from './position-service.ts';

/** Freezes are made by hand, a few a year; a further one is refused. */
const mostFreezes = 10_000;

/** @throws Refusal where it would reach too far, or there are too many */
export async function freezePositions(
  { freezes, directory }: PositionServiceParts,
  { account, instrument, until }: FreezePositionsRequest,
): Promise<FreezePositionsResponse> {
  if (until === undefined) {
    throw new Refusal('invalid', 'until: expected a time', { field: 'until' });
  }
  const scope = {
    account: account || undefined,
    instrument: instrument ? positionInstrument(directory, 'instrument', instrument) : undefined,
  };
  const time = exactMicros('until', until);
  if ((await freezes.list(0, mostFreezes)).length === mostFreezes) {
    throw new Refusal('limit', `At most ${mostFreezes} freezes`);
  }
  return create(FreezePositionsResponseSchema, {
    freeze: freezeToMessage(await freezes.freeze(scope, time)),
  });
}

/** Those that concern what is asked for, the latest moment first. */
export async function listFreezes(
  { freezes, directory }: PositionServiceParts,
  request: ListFreezesRequest,
): Promise<ListFreezesResponse> {
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
}

function freezeToMessage(freeze: Freeze): FreezeMessage {
  return create(FreezeSchema, {
    freezeId: String(freeze.freezeId),
    account: freeze.account ?? '',
    instrument: freeze.instrument ?? '',
    until: timestampOf(freeze.until),
    createdTime: timestampOf(freeze.recordedTime),
  });
}
