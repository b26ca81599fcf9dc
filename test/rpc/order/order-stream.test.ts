import { Code, createClient } from '@connectrpc/connect';
import type { ConnectError } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, onTestFinished, test } from 'vitest';
import { OrderService } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { StreamOrderEventsResponse } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { Order } from '../../../src/domain/order.ts';
import type { DecidedEvent } from '../../../src/order/order-log.ts';
import type { ReaderLimits } from '../../../src/rpc/broadcast/broadcast-stream.ts';
import { OrderStream } from '../../../src/rpc/order/order-stream.ts';
import type { LogEntry } from '../../../src/store/order/log-reader.ts';
import { noon } from '../../support/builders.ts';
import { DecidedOrder } from '../../support/decided-order.ts';
import { eventually } from '../../support/eventually.ts';
import { openTestListener } from '../../support/test-listener.ts';
import { TwinClock } from '../../support/twin-clock.ts';

/** A log whose tail comes to what is committed when it is told to. */
class TwinLog {
  readonly #entries: LogEntry[] = [];
  #listener = (_entries: readonly LogEntry[]) => {};
  position = 0;
  /** Called before a snapshot is answered: what happens meanwhile. */
  beforeAnswer = () => {};
  /** Splits are read when this settles; of so many orders each time. */
  untilSplits: Promise<void> = Promise.resolve();
  readonly pages: number[] = [];

  commit(...events: readonly DecidedEvent[]): void {
    for (const event of events) {
      this.#entries.push({ type: 'order', position: this.#entries.length + 1, ...event });
    }
  }

  handOut(): void {
    const entries = this.#entries.slice(this.position);
    this.position = this.#entries.length;
    this.#listener(entries);
  }

  subscribe(listener: (entries: readonly LogEntry[]) => void): Disposable {
    this.#listener = listener;
    return { [Symbol.dispose]: () => {} };
  }

  async readAfter(position: number, limit: number): Promise<readonly LogEntry[]> {
    return this.#entries.slice(position, position + limit);
  }

  async snapshot() {
    const position = this.#entries.length;
    const orders = new Map<string, Order>();
    for (const entry of this.#entries) {
      if (entry.type === 'order') orders.set(entry.order.orderId, entry.order);
    }
    this.beforeAnswer();
    return { position, orders: [...orders.values()] };
  }

  async splitsOf(orders: readonly Order[]) {
    this.pages.push(orders.length);
    await this.untilSplits;
    return orders.map((order) => ({ ...order, splits: [] }));
  }
}

/** A log behind the real stream on a real port. */
async function aServedLog(limits: ReaderLimits = {}) {
  const log = new TwinLog();
  const clock = new TwinClock(noon);
  const stream = new OrderStream(log, log, clock, limits);
  const listener = await openTestListener({
    routes: (router) =>
      router.service(OrderService, {
        streamOrderEvents: (request, context) => stream.stream(request, context),
      }),
  });
  onTestFinished(async () => {
    stream[Symbol.dispose]();
    await listener[Symbol.asyncDispose]();
  });
  const client = createClient(OrderService, createGrpcTransport({ baseUrl: listener.url }));
  const follow = (orderId: string | undefined, resumeAfter = '') => {
    const elements: string[] = [];
    const scope =
      orderId === undefined
        ? { case: 'all' as const, value: true }
        : { case: 'orderId' as const, value: orderId };
    const ended = (async () => {
      for await (const element of client.streamOrderEvents({ scope, resumeAfter })) {
        elements.push(inShort(element));
      }
      return 'ended' as const;
    })().catch((error: ConnectError) => error);
    return { elements, ended };
  };
  return { log, clock, stream, follow };
}

function inShort({ cursor, event }: StreamOrderEventsResponse): string {
  const what = event.case === 'orderEvent' ? event.value.event.case : event.case;
  return `${cursor} ${what}`;
}

test('a stream of an order that ends while its snapshot is read comes to its end', async () => {
  const { log, follow } = await aServedLog();
  const order = new DecidedOrder();
  log.commit(order.accepted);
  log.beforeAnswer = () => {
    log.commit(order.cancel());
    log.handOut();
  };
  const { elements, ended } = follow(order.orderId);
  expect(await ended).toBe('ended');
  expect(elements).toEqual([' order', 'o1.1 snapshotEnd', 'o1.2 canceled']);
});

test('a stream of an order that is at its end already ends, whatever else happened since', async () => {
  const { log, follow } = await aServedLog();
  const order = new DecidedOrder();
  log.commit(order.accepted, order.cancel(), new DecidedOrder().accepted);
  const { elements, ended } = follow(order.orderId, 'o1.1');
  await eventually(() => elements.length > 0 || log.handOut() === undefined);
  expect(await ended).toBe('ended');
  expect(elements).toEqual(['o1.2 canceled']);
});

test('no cursor lies behind what the reader has got, where the tail does', async () => {
  const { log, clock, stream, follow } = await aServedLog();
  const order = new DecidedOrder();
  log.commit(order.accepted);
  log.handOut();
  log.commit(order.split({ quantity: '4' }));
  const { elements, ended } = follow(order.orderId);
  await eventually(() => elements.includes('o1.2 snapshotEnd'));
  await clock.advance(60_000, 5_000);
  log.commit(order.cancel());
  log.handOut();
  expect(await ended).toBe('ended');
  expect(elements).toEqual([' order', 'o1.2 snapshotEnd', 'o1.3 canceled']);
  expect(stream.statistics).toEqual({ readers: 0, overflows: 0 });
});

test('nor where a reader who resumes is read more than the tail has come to', async () => {
  const { log, clock, follow } = await aServedLog();
  const order = new DecidedOrder();
  log.commit(order.accepted);
  log.handOut();
  log.commit(order.split({ quantity: '4' }));
  const { elements } = follow(undefined, 'o1.0');
  await eventually(() => elements.includes('o1.2 filled'));
  await clock.advance(60_000, 5_000);
  log.handOut();
  await eventually(async () => {
    await clock.advance(10_000, 5_000);
    return elements.includes('o1.2 heartbeat');
  });
  expect(elements.filter((element) => !element.endsWith('heartbeat'))).toEqual([
    'o1.1 accepted',
    'o1.2 filled',
  ]);
  expect(elements).not.toContain('o1.1 heartbeat');
});

test('a cursor that only another server has come to is gone on from', async () => {
  const { log, follow } = await aServedLog();
  const order = new DecidedOrder();
  log.commit(order.accepted, order.split({ quantity: '4' }));
  const { elements, ended } = follow(order.orderId, 'o1.2');
  log.commit(order.cancel());
  await eventually(() => elements.length > 0 || log.handOut() === undefined);
  expect([await ended, elements]).toEqual(['ended', ['o1.3 canceled']]);
});

test('a cursor beyond the end of the log is refused, and not waited for', async () => {
  const { log, follow } = await aServedLog();
  const order = new DecidedOrder();
  log.commit(order.accepted);
  log.handOut();
  const { elements, ended } = follow(order.orderId, 'o1.2');
  expect([await ended, elements]).toEqual([
    expect.objectContaining({
      code: Code.OutOfRange,
      rawMessage: expect.stringMatching(/^resume_after: expected a cursor of this log/u),
    }),
    [],
  ]);
});

test('a reader that more waits for than may is ended alone', async () => {
  const { log, clock, follow } = await aServedLog({ maxPendingBytes: 1_000 });
  const [busy, calm] = [new DecidedOrder(), new DecidedOrder()];
  log.commit(busy.accepted, calm.accepted);
  log.handOut();
  const [slow, quick] = [follow(busy.orderId), follow(calm.orderId)];
  // Whoever gets a heartbeat is past its snapshot.
  await eventually(async () => {
    await clock.advance(10_000, 5_000);
    return [slow, quick].every(({ elements }) => elements.at(-1)?.endsWith('heartbeat'));
  });
  log.commit(...Array.from({ length: 9 }, () => busy.split({ quantity: '1' })), calm.cancel());
  log.handOut();
  expect(await slow.ended).toMatchObject({
    code: Code.ResourceExhausted,
    rawMessage: 'The reader is too slow: more than 1000 bytes wait for it',
  });
  expect([await quick.ended, quick.elements.at(-1)]).toEqual(['ended', 'o1.12 canceled']);
  // It goes on where it was.
  const resumed = follow(busy.orderId, slow.elements.at(-1)?.split(' ')[0]);
  await eventually(() => expect(resumed.elements.slice(-1)).toEqual(['o1.11 filled']));
});

test('splits of a snapshot are read for some orders at a time', async () => {
  const { log, follow } = await aServedLog();
  log.commit(...Array.from({ length: 450 }, () => new DecidedOrder().accepted));
  log.handOut();
  const { elements } = follow(undefined);
  await eventually(() => elements.includes('o1.450 snapshotEnd'));
  expect(elements.filter((element) => element === ' order')).toHaveLength(450);
  expect(log.pages).toEqual([200, 200, 50]);
});

test('a reader counts as one from its snapshot on, until it leaves', async () => {
  const { log, stream, follow } = await aServedLog({ maxSubscriptions: 1 });
  const order = new DecidedOrder();
  log.commit(order.accepted);
  log.handOut();
  const { promise, reject } = Promise.withResolvers<void>();
  log.untilSplits = promise;
  const first = follow(order.orderId);
  await eventually(() => expect(log.pages).toEqual([1]));
  expect(await follow(order.orderId).ended).toMatchObject({
    code: Code.ResourceExhausted,
    rawMessage: 'At most 1 readers of this stream',
  });
  reject(new Error('The store is away'));
  expect(await first.ended).toMatchObject({ code: Code.Internal });
  expect(stream.statistics.readers).toBe(0);
  log.untilSplits = Promise.resolve();
  const next = follow(order.orderId);
  await eventually(() => next.elements.includes('o1.1 snapshotEnd'));
});

test('who waits for the tail when the server stops is told to connect again', async () => {
  const { log, stream, follow } = await aServedLog();
  const order = new DecidedOrder();
  log.commit(order.accepted);
  const { elements, ended } = follow(order.orderId);
  await eventually(() => elements.includes('o1.1 snapshotEnd'));
  stream[Symbol.dispose]();
  expect(await ended).toMatchObject({ code: Code.Unavailable });
});
