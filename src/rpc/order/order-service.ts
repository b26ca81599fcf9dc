import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type { Order as OrderMessage } from '../../../gen/tradewind/order/v1/order_pb.ts';
import type {
  CancelOrderRequest,
  CancelOrderResponse,
  GetOrderRequest,
  GetOrderResponse,
  ListOrdersRequest,
  ListOrdersResponse,
  OrderService,
  SubmitLimitOrderRequest,
  SubmitLimitOrderResponse,
} from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import {
  CancelOrderResponseSchema,
  GetOrderResponseSchema,
  HaltTradingResponseSchema,
  ListHaltsResponseSchema,
  ListOrdersResponseSchema,
  ResumeTradingResponseSchema,
  SubmitLimitOrderResponseSchema,
} from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { isTerminal } from '../../domain/order.ts';
import type { SplitOrder } from '../../domain/order.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { OrderDesk } from '../../order/order-desk.ts';
import type { HaltStore } from '../../store/order/halt-store.ts';
import type { OrderReader } from '../../store/order/order-reader.ts';
import { acceptedElsewhere } from './accepted-elsewhere.ts';
import { cancelAllOrders } from './cancel-all-orders.ts';
import { forwardedHeader } from './order-forwarding.ts';
import type { OrderForwarding } from './order-forwarding.ts';
import { haltToMessage, haltedAccount } from './order-halts.ts';
import { splitOrderToMessage, statusFromMessage } from './order-messages.ts';
import { formatOrderPageToken, parseOrderPageToken } from './order-page-token.ts';
import { accountOf, instrumentOf, readSubmission } from './order-request.ts';
import type { OrderInstruments } from './order-request.ts';
import type { OrderStream } from './order-stream.ts';
import { waitingFields, waitingForOwner } from './order-waiting.ts';
import { inOutage, streamInOutage } from '../store-outage.ts';

export type OrderServiceParts = OrderInstruments & {
  readonly desk: OrderDesk;
  readonly orders: Pick<OrderReader, 'get' | 'list' | 'openInstruments'>;
  readonly halts: Pick<HaltStore, 'halt' | 'resume' | 'list'>;
  readonly stream: Pick<OrderStream, 'stream'>;
  readonly forwarding: Pick<OrderForwarding, 'ask'>;
};

/** ListOrders answers this many where the request does not say. */
const defaultPageSize = 100;
/** With each order of a list, so that the largest page fits into what clients take, 4 MiB; GetOrder has more. */
const listedSplits = 10;
/** With a single order: some 1.5 MB, which any client takes. */
const shownSplits = 10_000;

/** OrderService over the order desk and what is stored. */
export function orderService(parts: OrderServiceParts): ServiceImpl<typeof OrderService> {
  const { halts, stream } = parts;
  return {
    submitLimitOrder: (request, context) => inOutage(submitOrAnswer(parts, request, context)),
    cancelOrder: (request, context) => inOutage(cancelOrder(parts, request, context)),
    cancelAllOrders: (request, context) => inOutage(cancelAllOrders(parts, request, context)),
    getOrder: (request, context) => inOutage(getOrder(parts, request, context)),
    listOrders: (request) => inOutage(listOrders(parts, request)),
    streamOrderEvents: (request, context) => streamInOutage(stream.stream(request, context)),
    async haltTrading(request) {
      const now = await inOutage(halts.halt(haltedAccount(request), request.reason));
      return create(HaltTradingResponseSchema, { halts: now.map(haltToMessage) });
    },
    async resumeTrading(request) {
      const now = await inOutage(halts.resume(haltedAccount(request)));
      return create(ResumeTradingResponseSchema, { halts: now.map(haltToMessage) });
    },
    async listHalts() {
      const now = await inOutage(halts.list());
      return create(ListHaltsResponseSchema, { halts: now.map(haltToMessage) });
    },
  };
}

async function submitOrAnswer(
  parts: OrderServiceParts,
  request: SubmitLimitOrderRequest,
  context: HandlerContext,
): Promise<SubmitLimitOrderResponse> {
  try {
    return await submitOrder(parts, request, context);
  } catch (refusal) {
    const named = { request, headers: context.requestHeader, refusal };
    const found = await acceptedElsewhere(parts.orders, named, shownSplits);
    if (found === undefined) throw refusal;
    const order = shownOrder(parts.desk, found);
    return create(SubmitLimitOrderResponseSchema, { order, alreadyAccepted: true });
  }
}

async function submitOrder(
  parts: OrderServiceParts,
  request: SubmitLimitOrderRequest,
  context: HandlerContext,
): Promise<SubmitLimitOrderResponse> {
  const { desk, orders, forwarding } = parts;
  const { order: wish, timeout } = readSubmission(parts, request, context.requestHeader);
  const owner = desk.ownerOf(wish.instrument);
  if (owner.type !== 'here') {
    // As we understood it: what a bare symbol means, for one, is this server's to say.
    const { instrument, clientOrderId = '' } = wish;
    return await forwarding.ask(owner, context, (client, options) =>
      client.submitLimitOrder({ ...request, instrument, clientOrderId }, options),
    );
  }
  const { order, isAlreadyAccepted: alreadyAccepted } = await desk.submit(wish, { timeout });
  // What came of it meanwhile is read where it was accepted before.
  const found = alreadyAccepted ? await orders.get(order, shownSplits) : undefined;
  return create(SubmitLimitOrderResponseSchema, {
    order: shownOrder(desk, found ?? { ...order, splits: [] }),
    alreadyAccepted,
  });
}

async function cancelOrder(
  { desk, orders, forwarding }: OrderServiceParts,
  request: CancelOrderRequest,
  context: HandlerContext,
): Promise<CancelOrderResponse> {
  const found = await findOrder(orders, request);
  if (found.status === 'canceled') {
    return create(CancelOrderResponseSchema, { order: shownOrder(desk, found) });
  }
  if (isTerminal(found)) {
    throw new Refusal('failedPrecondition', `The order is ${found.status} already`);
  }
  const owner = desk.ownerOf(found.instrument);
  if (owner.type !== 'here') {
    return await forwarding.ask(owner, context, (client, options) =>
      client.cancelOrder(request, options),
    );
  }
  const canceled = await desk.cancel(found);
  const order = (await orders.get(canceled, shownSplits)) ?? { ...canceled, splits: [] };
  return create(CancelOrderResponseSchema, { order: shownOrder(desk, order) });
}

async function getOrder(
  { desk, orders, forwarding }: OrderServiceParts,
  request: GetOrderRequest,
  context: HandlerContext,
): Promise<GetOrderResponse> {
  const order = await findOrder(orders, request);
  const owner = desk.ownerOf(order.instrument);
  const isForwarded = context.requestHeader.has(forwardedHeader);
  if (!isTerminal(order) && owner.type === 'elsewhere' && !isForwarded) {
    // Only its owner knows what it waits for.
    const answer = await forwarding
      .ask(owner, context, (client, options) => client.getOrder(request, options))
      .catch(() => undefined);
    if (answer !== undefined) return answer;
  }
  return create(GetOrderResponseSchema, { order: shownOrder(desk, order) });
}

async function listOrders(
  { desk, orders, directory }: OrderServiceParts,
  request: ListOrdersRequest,
): Promise<ListOrdersResponse> {
  const limit = request.pageSize === 0 ? defaultPageSize : request.pageSize;
  const found = await orders.list({
    account: accountOf(request),
    instrument: instrumentOf(directory, request),
    statuses: request.statuses.map(statusFromMessage),
    after: parseOrderPageToken(request.pageToken),
    // One more than asked for shows whether there is a next page.
    limit: limit + 1,
    splits: listedSplits,
  });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return create(ListOrdersResponseSchema, {
    orders: page.map((order) => shownOrder(desk, order)),
    nextPageToken: found.length > limit && last !== undefined ? formatOrderPageToken(last) : '',
  });
}

/** @throws Refusal 'notFound' */
async function findOrder(
  orders: Pick<OrderReader, 'get'>,
  request: Pick<GetOrderRequest | CancelOrderRequest, 'account' | 'order'>,
): Promise<SplitOrder> {
  const account = accountOf(request);
  const { case: field, value = '' } = request.order;
  const id = field === 'clientOrderId' ? { clientOrderId: value } : { orderId: value };
  const found = await orders.get({ account, ...id }, shownSplits);
  if (found !== undefined) return found;
  const name = field === 'clientOrderId' ? 'client_order_id' : 'order_id';
  throw new Refusal(
    'notFound',
    `${name}: ${JSON.stringify(value)} is no order of the account ${account}`,
    { field: name },
  );
}

function shownOrder(desk: OrderDesk, order: SplitOrder): OrderMessage {
  const message = splitOrderToMessage(order);
  if (isTerminal(order)) return message;
  const owner = desk.ownerOf(order.instrument);
  return Object.assign(
    message,
    owner.type === 'nobody' ? waitingForOwner : waitingFields(desk.waitingFor(order)),
  );
}
