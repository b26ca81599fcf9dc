import type { Order } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { OrderStatus } from '../../../gen/tradewind/order/v1/order_pb.ts';
import type { OrderClient } from '../../rpc/client.ts';
import { orderToJson } from '../../rpc/order/order-messages.ts';
import { requestTimeoutMs } from '../list-candles.ts';
import { writeLines } from '../write-lines.ts';
import type { OrderId } from './order-flags.ts';
import { orderSummary, orderTable } from './order-printer.ts';
import type { OrderFormat } from './order-printer.ts';

const statusesByWord: Readonly<Record<string, readonly OrderStatus[]>> = {
  open: [OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED],
  filled: [OrderStatus.FILLED],
  canceled: [OrderStatus.CANCELED],
  expired: [OrderStatus.EXPIRED],
};

export const orderStates: readonly string[] = Object.keys(statusesByWord);

/** The largest page the server gives. */
const largestPage = 1000;

export type OrderRange = {
  readonly account: string;
  readonly instrument: string;
  readonly status?: string;
  readonly limit: number;
};

/** @throws ConnectError */
export async function listOrders(
  client: OrderClient,
  { account, instrument, status, limit }: OrderRange,
  format: OrderFormat,
): Promise<void> {
  const orders: Order[] = [];
  let pageToken = '';
  do {
    const page = await client.listOrders(
      {
        account,
        instrument,
        statuses: [...(statusesByWord[status ?? ''] ?? [])],
        pageSize: Math.min(limit - orders.length, largestPage),
        pageToken,
      },
      { timeoutMs: requestTimeoutMs },
    );
    orders.push(...page.orders);
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && orders.length < limit);
  if (format === 'json') return await writeLines(process.stdout, orders.map(orderToJson));
  if (orders.length === 0) return await writeLines(process.stdout, ['There is no such order']);
  await writeLines(process.stdout, orderTable(orders));
}

/** @throws ConnectError */
export async function showOrder(
  client: OrderClient,
  name: { readonly account: string; readonly order: OrderId },
  format: OrderFormat,
): Promise<void> {
  const { order } = await client.getOrder(name, { timeoutMs: requestTimeoutMs });
  if (order === undefined) throw new Error('Expected an answer with the order');
  await writeLines(process.stdout, format === 'json' ? [orderToJson(order)] : orderSummary(order));
}
