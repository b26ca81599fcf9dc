import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type { Order as OrderMessage } from '../../gen/tradewind/order/v1/order_pb.ts';
import type {
  CancelOrderRequest,
  GetOrderRequest,
  Halt as HaltMessage,
  HaltTradingRequest,
  ListOrdersRequest,
  ListOrdersResponse,
  OrderService,
  ResumeTradingRequest,
  SubmitLimitOrderRequest,
} from '../../gen/tradewind/order/v1/order_service_pb.ts';
import {
  CancelAllOrdersResponseSchema,
  CancelOrderResponseSchema,
  GetOrderResponseSchema,
  HaltSchema,
  HaltTradingResponseSchema,
  ListOrdersResponseSchema,
  ResumeTradingResponseSchema,
  SubmitLimitOrderResponseSchema,
} from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { parseDecimal } from '../base/decimal.ts';
import { defaultAccount } from '../domain/account.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import { isTerminal } from '../domain/order.ts';
import type { OrderRequest, SplitOrder } from '../domain/order.ts';
import { Refusal } from '../domain/refusal.ts';
import type { OrderDesk, ShardOwner } from '../order/order-desk.ts';
import type { Halt, HaltStore } from '../store/halt-store.ts';
import type { OrderReader } from '../store/order-reader.ts';
import { exactMicros } from './exact-micros.ts';
import type { InstrumentDirectory } from './instrument-directory.ts';
import { timestampOf } from './messages.ts';
import { forwardedHeader } from './order-forwarding.ts';
import type { OrderForwarding } from './order-forwarding.ts';
import {
  orderToMessage,
  splitOrderToMessage,
  sideFromMessage,
  statusFromMessage,
  timeInForceFromMessage,
} from './order-messages.ts';
import { formatOrderPageToken, parseOrderPageToken } from './order-page-token.ts';
import type { OrderStream } from './order-stream.ts';
import { waitingFields, waitingForOwner } from './order-waiting.ts';

export type OrderServiceParts = {
  readonly desk: OrderDesk;
  readonly orders: OrderReader;
  readonly halts: HaltStore;
  readonly stream: OrderStream;
  readonly forwarding: OrderForwarding;
  readonly directory: InstrumentDirectory;
};

/** ListOrders answers this many where the request does not say. */
const defaultPageSize = 100;
/** Beyond any bound on an account's open orders. */
const mostCanceled = 100_000;
/** With each order of a list; GetOrder shows all. */
const listedSplits = 100;

/** OrderService over the order desk and what is stored. */
export function orderService(parts: OrderServiceParts): ServiceImpl<typeof OrderService> {
  const { desk, orders, halts, stream, forwarding, directory } = parts;
  const shown = (order: SplitOrder) => shownOrder(desk, order);
  return {
    async submitLimitOrder(request, context) {
      const { order: wish, timeout } = readRequest(directory, request);
      const owner = desk.ownerOf(wish.instrument);
      if (owner.type !== 'here') {
        // The name as we resolved it: what a bare symbol means is this server's to say.
        const named = { ...request, instrument: wish.instrument };
        return await forwarding.ask(owner, context, (client, options) =>
          client.submitLimitOrder(named, options),
        );
      }
      const { order, isAlreadyAccepted } = await desk.submit(wish, { timeout });
      // What came of it meanwhile is read where it was accepted before.
      const found = isAlreadyAccepted ? await orders.get(order) : undefined;
      return create(SubmitLimitOrderResponseSchema, {
        order: shown(found ?? { ...order, splits: [] }),
        alreadyAccepted: isAlreadyAccepted,
      });
    },

    async cancelOrder(request, context) {
      const found = await findOrder(orders, request);
      if (found.status === 'canceled') {
        return create(CancelOrderResponseSchema, { order: shown(found) });
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
      const order = (await orders.get(canceled)) ?? { ...canceled, splits: [] };
      return create(CancelOrderResponseSchema, { order: shown(order) });
    },

    async cancelAllOrders(request, context) {
      const account = accountOf(request.account);
      const instrument =
        request.instrument === '' ? undefined : directory.resolve('instrument', request.instrument);
      const here = await desk.cancelAll(account, instrument);
      const others = isForwarded(context) ? [] : await otherOwners(parts, account, instrument);
      const elsewhere = await Promise.all(
        others.map((owner) =>
          forwarding.ask(owner, context, (client, options) =>
            client.cancelAllOrders({ account, instrument: instrument ?? '' }, options),
          ),
        ),
      );
      return create(CancelAllOrdersResponseSchema, {
        orders: [...here.map(orderToMessage), ...elsewhere.flatMap((answer) => answer.orders)],
      });
    },

    async getOrder(request, context) {
      const order = await findOrder(orders, request);
      const owner = desk.ownerOf(order.instrument);
      if (!isTerminal(order) && owner.type === 'elsewhere' && !isForwarded(context)) {
        // Only its owner knows what it waits for.
        const answer = await forwarding
          .ask(owner, context, (client, options) => client.getOrder(request, options))
          .catch(() => undefined);
        if (answer !== undefined) return answer;
      }
      return create(GetOrderResponseSchema, { order: shown(order) });
    },

    listOrders: (request) => listOrders(parts, request),
    streamOrderEvents: (request, context) => stream.stream(request, context),

    async haltTrading(request) {
      const now = await halts.halt(haltedAccount(request), request.reason);
      return create(HaltTradingResponseSchema, { halts: now.map(haltToMessage) });
    },

    async resumeTrading(request) {
      const now = await halts.resume(haltedAccount(request));
      return create(ResumeTradingResponseSchema, { halts: now.map(haltToMessage) });
    },
  };
}

function accountOf(account: string): string {
  return account === '' ? defaultAccount : account;
}

function isForwarded(context: HandlerContext): boolean {
  return context.requestHeader.has(forwardedHeader);
}

function readRequest(
  directory: InstrumentDirectory,
  request: SubmitLimitOrderRequest,
): { order: OrderRequest; timeout: number | undefined } {
  const { expiry } = request;
  const order: OrderRequest = {
    account: accountOf(request.account),
    instrument: directory.resolve('instrument', request.instrument),
    side: sideFromMessage(request.side),
    quantity: parseDecimal(request.quantity),
    limitPrice: parseDecimal(request.limitPrice),
    timeInForce: timeInForceFromMessage(request.timeInForce),
    expireTime: expiry.case === 'expireTime' ? exactMicros('expire_time', expiry.value) : undefined,
    clientOrderId: request.clientOrderId === '' ? undefined : request.clientOrderId,
  };
  if (expiry.case !== 'timeout') return { order, timeout: undefined };
  const { seconds, nanos } = expiry.value;
  if (nanos % 1000 !== 0) {
    throw new Refusal('invalid', 'timeout: expected whole microseconds', { field: 'timeout' });
  }
  return { order, timeout: Number(seconds) * 1_000_000 + nanos / 1000 };
}

/** @throws Refusal 'notFound' */
async function findOrder(
  orders: OrderReader,
  { account, order }: Pick<GetOrderRequest | CancelOrderRequest, 'account' | 'order'>,
): Promise<SplitOrder> {
  const id =
    order.case === 'clientOrderId'
      ? { clientOrderId: order.value }
      : { orderId: order.value ?? '' };
  const found = await orders.get({ account: accountOf(account), ...id });
  if (found !== undefined) return found;
  const field = order.case === 'clientOrderId' ? 'client_order_id' : 'order_id';
  throw new Refusal(
    'notFound',
    `${field}: ${JSON.stringify(order.value)} is no order of the account ${accountOf(account)}`,
    { field },
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

async function listOrders(
  { desk, orders, directory }: OrderServiceParts,
  request: ListOrdersRequest,
): Promise<ListOrdersResponse> {
  const limit = request.pageSize === 0 ? defaultPageSize : request.pageSize;
  const found = await orders.list({
    account: accountOf(request.account),
    instrument:
      request.instrument === '' ? undefined : directory.resolve('instrument', request.instrument),
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

/** The other servers that are in charge of open orders of the account. */
async function otherOwners(
  { desk, orders }: OrderServiceParts,
  account: string,
  instrument: InstrumentName | undefined,
): Promise<readonly OtherOwner[]> {
  const { orders: open } = await orders.snapshot({ account }, { orders: mostCanceled, splits: 0 });
  const owners = new Map<string, OtherOwner>();
  for (const order of open) {
    if (instrument !== undefined && order.instrument !== instrument) continue;
    const owner = desk.ownerOf(order.instrument);
    if (owner.type !== 'here') owners.set(owner.type === 'elsewhere' ? owner.url : '', owner);
  }
  return [...owners.values()];
}

type OtherOwner = Exclude<ShardOwner, { type: 'here' }>;

/** Undefined: everything. */
function haltedAccount({
  scope,
}: Pick<HaltTradingRequest | ResumeTradingRequest, 'scope'>): string | undefined {
  return scope.case === 'account' ? scope.value : undefined;
}

function haltToMessage({ account = '', reason, time }: Halt): HaltMessage {
  return create(HaltSchema, { account, reason, time: timestampOf(time) });
}
