import { Code, ConnectError } from '@connectrpc/connect';
import type { Order } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { OrderStatus } from '../../../gen/tradewind/order/v1/order_pb.ts';
import type { StreamOrderEventsResponse } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { backoffDelayMs } from '../../base/backoff.ts';
import { repeat, sleep, systemClock } from '../../base/clock.ts';
import type { Environment } from '../../base/env.ts';
import { readStream } from '../../rpc/client.ts';
import type { OrderClient } from '../../rpc/client.ts';
import { Failure } from '../failure.ts';
import { LiveLine } from '../live-line.ts';
import { isOrderAtEnd, orderToJson } from '../../rpc/order/order-messages.ts';
import { requestTimeoutMs } from '../list-candles.ts';
import { writeLines } from '../write-lines.ts';
import type { OrderId } from './order-flags.ts';
import { lineOfEvent, lineOfOrder } from './order-lines.ts';
import {
  describeOrder,
  describeProgress,
  orderSummary,
  statusWord,
  watchCommand,
} from './order-printer.ts';
import type { OrderFormat } from './order-printer.ts';
import { stopOnRequest } from '../stop-on-request.ts';

/** Somebody watches: the first tries come quickly, and a server is never asked more than this. */
const backoff = { minimumMs: 250, maximumMs: 5_000 };
/** How often the last line of a terminal tells what the order waits for. */
const refreshMs = 1_000;

type Scope =
  | { readonly case: 'orderId'; readonly value: string }
  | { readonly case: 'account'; readonly value: string };

/** Follows one order to its end, or all of an account until Ctrl-C. @throws ConnectError, Failure */
export async function watchOrders(
  client: OrderClient,
  { account, order: name }: { readonly account: string; readonly order: OrderId | undefined },
  format: OrderFormat,
  environment: Environment,
): Promise<void> {
  if (name !== undefined) {
    const { order } = await client.getOrder(
      { account, order: name },
      { timeoutMs: requestTimeoutMs },
    );
    if (order === undefined) throw new Error('Expected an answer with the order');
    if (format === 'table') await writeLines(process.stdout, [describeOrder(order)]);
    return await watchToEnd(client, order, format, environment);
  }
  using stop = stopOnRequest(environment);
  const line = new LiveLine(process.stdout);
  for await (const { event } of followEvents(
    client,
    { case: 'account', value: account },
    stop.signal,
    line,
  )) {
    if (event.case === 'order') await line.print(lineOfOrder(event.value, format));
    else if (event.case === 'orderEvent') await line.print(lineOfEvent(event.value, format));
  }
}

/**
 * Follows an order to its end, then tells how it was split.
 * @throws ConnectError; Failure when it ended without being filled whole
 */
export async function watchToEnd(
  client: OrderClient,
  order: Order,
  format: OrderFormat,
  environment: Environment,
): Promise<void> {
  using stop = stopOnRequest(environment);
  const line = new LiveLine(process.stdout);
  const read = async () => {
    const id = { case: 'orderId' as const, value: order.orderId };
    return (
      await client.getOrder({ account: order.account, order: id }, { timeoutMs: requestTimeoutMs })
    ).order;
  };
  {
    // What it waits for changes without an event.
    using _refresh =
      line.isLive && format === 'table'
        ? repeat(systemClock, refreshMs, () => void refresh())
        : undefined;
    const refresh = async () => {
      const current = await read().catch(() => undefined);
      if (current !== undefined && !isOrderAtEnd(current)) line.show(describeProgress(current));
    };
    const scope = { case: 'orderId' as const, value: order.orderId };
    for await (const { event } of followEvents(client, scope, stop.signal, line)) {
      if (event.case === 'order') {
        if (isOrderAtEnd(event.value)) break;
        // What was filled before we looked.
        if (event.value.splitCount > 0) {
          await line.print(lineOfOrder(event.value, format, { isOnlyOne: true }));
        }
      }
      if (event.case !== 'orderEvent') continue;
      await line.print(lineOfEvent(event.value, format, { isOnlyOne: true }));
      if (event.value.order !== undefined && isOrderAtEnd(event.value.order)) break;
    }
  }
  line.clear();
  if (stop.signal.aborted) {
    console.error(`The order goes on; follow it: ${watchCommand(order)}`);
    return;
  }
  const ended = await read();
  if (ended === undefined) throw new Error('Expected an answer with the order');
  await writeLines(
    process.stdout,
    format === 'json' ? [orderToJson(ended)] : ['', ...orderSummary(ended)],
  );
  if (ended.status !== OrderStatus.FILLED) {
    throw new Failure(
      `the order was not filled whole: it is ${statusWord(ended)}, with ${ended.filledQuantity} of ${ended.quantity} filled`,
    );
  }
}

/** Events until the signal is aborted or the stream ends by itself, through any interruptions. */
async function* followEvents(
  client: OrderClient,
  scope: Scope,
  signal: AbortSignal,
  line: LiveLine,
): AsyncGenerator<StreamOrderEventsResponse> {
  let resumeAfter = '';
  let failures = 0;
  while (!signal.aborted) {
    try {
      const open = (streamSignal: AbortSignal) =>
        client.streamOrderEvents({ scope, resumeAfter }, { signal: streamSignal });
      for await (const message of readStream(open, signal)) {
        failures = 0;
        resumeAfter = message.cursor;
        yield message;
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      const { code, rawMessage } = ConnectError.from(error);
      if (code !== Code.Unavailable && code !== Code.ResourceExhausted) throw error;
      const delayMs = backoffDelayMs(failures++, backoff);
      line.clear();
      console.error(`${rawMessage}; connecting again in ${(delayMs / 1000).toFixed(1)} s`);
      await sleep(systemClock, delayMs, signal).catch(() => {});
    }
  }
}
