import type { Halt } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { OrderClient } from '../../rpc/client.ts';
import { haltToJson } from '../../rpc/order/order-messages.ts';
import { requestTimeoutMs } from '../list-candles.ts';
import { writeLines } from '../write-lines.ts';
import { timeOf } from '../rfc3339.ts';
import type { OrderFormat } from './order-printer.ts';

/** What is to be halted, or is not to be any more. */
export type HaltScope =
  | { readonly case: 'account'; readonly value: string }
  | { readonly case: 'everything'; readonly value: true };

/** Halts, and tells what is halted then. @throws ConnectError */
export async function haltTrading(
  orders: OrderClient,
  wish: { readonly scope: HaltScope; readonly reason: string },
  format: OrderFormat,
): Promise<void> {
  const { halts } = await orders.haltTrading(wish, { timeoutMs: requestTimeoutMs });
  await printHalts(halts, format);
}

/** Ends a halt, and tells what is halted still. @throws ConnectError */
export async function resumeTrading(
  orders: OrderClient,
  wish: { readonly scope: HaltScope },
  format: OrderFormat,
): Promise<void> {
  const { halts } = await orders.resumeTrading(wish, { timeoutMs: requestTimeoutMs });
  await printHalts(halts, format);
}

/** Tells what is halted. @throws ConnectError */
export async function showHalts(orders: OrderClient, format: OrderFormat): Promise<void> {
  const { halts } = await orders.listHalts({}, { timeoutMs: requestTimeoutMs });
  await printHalts(halts, format);
}

async function printHalts(halts: readonly Halt[], format: OrderFormat): Promise<void> {
  if (format === 'json') return await writeLines(process.stdout, halts.map(haltToJson));
  const lines = halts.map((halt) => {
    const whose = halt.account === '' ? 'everything' : `account ${halt.account}`;
    return `Halted: ${whose}, since ${timeOf(halt.time)}${halt.reason === '' ? '' : `: ${halt.reason}`}`;
  });
  await writeLines(process.stdout, lines.length === 0 ? ['Nothing is halted'] : lines);
}
