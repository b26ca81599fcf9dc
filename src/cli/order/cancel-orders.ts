import type { OrderClient } from '../../rpc/client.ts';
import { orderToJson } from '../../rpc/order/order-messages.ts';
import { requestTimeoutMs } from '../list-candles.ts';
import { writeLines } from '../write-lines.ts';
import type { OrderId } from './order-flags.ts';
import { orderSummary, orderTable } from './order-printer.ts';
import type { OrderFormat } from './order-printer.ts';

/** @throws ConnectError */
export async function cancelOrder(
  orders: OrderClient,
  name: { readonly account: string; readonly order: OrderId },
  format: OrderFormat,
): Promise<void> {
  const { order } = await orders.cancelOrder(name, { timeoutMs: requestTimeoutMs });
  if (order === undefined) throw new Error('Expected an answer with the order');
  await writeLines(process.stdout, format === 'json' ? [orderToJson(order)] : orderSummary(order));
}

/** @throws ConnectError */
export async function cancelAll(
  orders: OrderClient,
  { account, instrument }: { readonly account: string; readonly instrument: string },
  format: OrderFormat,
): Promise<void> {
  const { orders: canceled, canceledCount } = await orders.cancelAllOrders(
    { account, instrument },
    { timeoutMs: requestTimeoutMs },
  );
  if (format === 'json') return await writeLines(process.stdout, canceled.map(orderToJson));
  if (canceled.length === 0) return await writeLines(process.stdout, ['There was no open order']);
  await writeLines(process.stdout, orderTable(canceled));
  if (canceledCount > canceled.length) {
    await writeLines(process.stdout, [`… (${canceledCount} in all)`]);
  }
}
