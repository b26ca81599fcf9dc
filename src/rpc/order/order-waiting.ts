import { WaitReason } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { describeWaiting } from '../../order/waiting.ts';
import type { WaitingFor } from '../../order/waiting.ts';

/** How an order message tells what the order waits for. */
export type WaitingFields = { readonly waitReason: WaitReason; readonly waitingFor: string };

const waitReasons: Readonly<Record<WaitingFor['type'], WaitReason>> = {
  noTicker: WaitReason.NO_TICKER,
  priceOutOfReach: WaitReason.PRICE,
  staleTicker: WaitReason.STALE_TICKER,
  levelConsumed: WaitReason.LIQUIDITY_USED,
  halted: WaitReason.HALTED,
  feedDown: WaitReason.NO_FEED,
  storage: WaitReason.STORAGE,
  crossedBook: WaitReason.NO_BOOK,
  emptySide: WaitReason.NO_BOOK,
};

export function waitingFields(waiting: WaitingFor | undefined): WaitingFields {
  if (waiting === undefined) return { waitReason: WaitReason.UNSPECIFIED, waitingFor: '' };
  return { waitReason: waitReasons[waiting.type], waitingFor: describeWaiting(waiting) };
}

/** What an open order waits for whose instrument no server is in charge of. */
export const waitingForOwner: WaitingFields = {
  waitReason: WaitReason.NO_OWNER,
  waitingFor: 'No server is in charge of the instrument; one takes over within seconds',
};
