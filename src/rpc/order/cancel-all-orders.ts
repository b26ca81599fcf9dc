import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import type {
  CancelAllOrdersRequest,
  CancelAllOrdersResponse,
} from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { CancelAllOrdersResponseSchema } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { OrderDesk, ShardOwner } from '../../order/order-desk.ts';
import type { OrderKey, OrderReader } from '../../store/order/order-reader.ts';
import type { InstrumentDirectory } from '../instrument-directory.ts';
import { forwardedHeader } from './order-forwarding.ts';
import type { OrderForwarding } from './order-forwarding.ts';
import { orderToMessage } from './order-messages.ts';
import { accountOf, instrumentOf } from './order-request.ts';

export type CancelAllParts = {
  readonly desk: Pick<OrderDesk, 'ownerOf' | 'cancelAll'>;
  readonly orders: Pick<OrderReader, 'list' | 'openInstruments'>;
  readonly forwarding: Pick<OrderForwarding, 'ask'>;
  readonly directory: InstrumentDirectory;
};

type Context = Pick<HandlerContext, 'requestHeader' | 'signal' | 'timeoutMs'>;
type Elsewhere = Exclude<ShardOwner, { type: 'here' }>;

/** That were canceled together: some 1.5 MB, which any client takes. */
const shownCanceled = 1_000;

/**
 * Cancels all open orders of an account, on whichever servers they are. Instruments change hands: each
 * server cancels what is its own when it is asked, and one that went from a server not yet asked to one
 * already asked is canceled by neither. Hence the look at the end.
 * @throws Refusal 'unavailable' where an order that was open at the beginning is open still
 */
export async function cancelAllOrders(
  { desk, orders, forwarding, directory }: CancelAllParts,
  request: CancelAllOrdersRequest,
  context: Context,
): Promise<CancelAllOrdersResponse> {
  const account = accountOf(request);
  const instrument = instrumentOf(directory, request);
  // Whoever sent it on asks the others, and looks at the end.
  if (context.requestHeader.has(forwardedHeader)) {
    const canceled = await desk.cancelAll(account, instrument);
    return answerOf(canceled.map(orderToMessage), canceled.length);
  }
  const open = { account, instrument, statuses: ['open', 'partiallyFilled'] } as const;
  const newestFirst = (after?: OrderKey) => orders.list({ ...open, after, limit: 1, splits: 0 });
  const [newest] = await newestFirst();
  const named = instrument === undefined ? await orders.openInstruments(account) : [instrument];
  const others = otherOwners(desk, named);
  const isHere = instrument === undefined || others.length === 0;

  const here = isHere ? desk.cancelAll(account, instrument) : Promise.resolve([]);
  const elsewhere = others.map((owner) =>
    forwarding.ask(owner, context, (client, options) =>
      client.cancelAllOrders({ account, instrument: instrument ?? '' }, options),
    ),
  );
  // Who cannot be reached keeps nobody from canceling the rest.
  await Promise.allSettled([here, ...elsewhere]);
  const [canceled, answers] = [await here, await Promise.all(elsewhere)];
  if (newest !== undefined) {
    const afterNewest = { acceptedTime: newest.acceptedTime + 1, orderId: '' };
    const [left] = await newestFirst(afterNewest);
    if (left !== undefined) throw notAll();
  }
  return answerOf(
    [...canceled.slice(0, shownCanceled).map(orderToMessage), ...answers.flatMap(ordersOf)],
    answers.reduce((sum, { canceledCount }) => sum + canceledCount, canceled.length),
  );
}

/** The servers but this one that are in charge of some of the instruments. */
function otherOwners(
  desk: Pick<OrderDesk, 'ownerOf'>,
  instruments: readonly InstrumentName[],
): readonly Elsewhere[] {
  const owners = new Map<string, Elsewhere>();
  for (const instrument of instruments) {
    const owner = desk.ownerOf(instrument);
    if (owner.type !== 'here') owners.set(owner.type === 'elsewhere' ? owner.url : '', owner);
  }
  return [...owners.values()];
}

function ordersOf({ orders }: CancelAllOrdersResponse): CancelAllOrdersResponse['orders'] {
  return orders;
}

function answerOf(
  orders: CancelAllOrdersResponse['orders'],
  canceledCount: number,
): CancelAllOrdersResponse {
  const shown = orders.slice(0, shownCanceled);
  return create(CancelAllOrdersResponseSchema, { orders: shown, canceledCount });
}

function notAll(): Refusal {
  return new Refusal(
    'unavailable',
    'Some orders are still open: instruments changed hands meanwhile. Cancel all again',
  );
}
