import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import type {
  StreamOrderEventsRequest,
  StreamOrderEventsResponse,
} from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { StreamOrderEventsResponseSchema } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { Clock } from '../../base/clock.ts';
import { isTerminal } from '../../domain/order.ts';
import type { Order } from '../../domain/order.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { LogEntry, OrderEntry } from '../../store/order/log-reader.ts';
import type { LogTail } from '../../store/order/log-tail.ts';
import type { OrderReader, OrderScope, OrderSnapshot } from '../../store/order/order-reader.ts';
import { Broadcast } from '../broadcast/broadcast-stream.ts';
import type { ReaderLimits } from '../broadcast/broadcast-stream.ts';
import type { BroadcastSubscription } from '../broadcast/broadcast-subscription.ts';
import { checkLogCursor, formatLogCursor, parseLogCursor } from '../log-cursor.ts';
import { timestampOf } from '../messages.ts';
import { orderEventToMessage, splitOrderToMessage } from './order-messages.ts';
import { ReaderIndex } from '../broadcast/reader-index.ts';
import { SharedFrame } from '../broadcast/shared-frame.ts';

/** A snapshot of more orders is refused: ask for an account's, or resume after a cursor. */
const snapshotOrders = 10_000;
/** With each of them; GetOrder shows more. */
const snapshotSplits = 100;
/** Of a snapshot, whose splits are in memory at the same time: some 10 MB at most. */
const ordersPerPage = 200;
/** Of what a reader missed, read at once. */
const entriesPerPage = 1_000;

type Tail = Pick<LogTail, 'position' | 'subscribe' | 'readAfter'>;
type SnapshotReader = Pick<OrderReader, 'snapshot' | 'splitsOf'>;

/** Carries what happens to orders, on any server of the database, to StreamOrderEvents' readers. */
export class OrderStream implements Disposable {
  readonly #tail: Tail;
  readonly #orders: SnapshotReader;
  readonly #broadcast: Broadcast;
  readonly #readers = new ReaderIndex<string>();
  /** Up to where each reader has got what happened before it was enlisted. */
  readonly #seenThrough = new WeakMap<BroadcastSubscription, number>();
  #following: Disposable | undefined;
  /** Settles when the tail has handed out more, or the server stops. */
  #handedOut = Promise.withResolvers<void>();
  #isStopped = false;

  constructor(tail: Tail, orders: SnapshotReader, clock: Clock, limits: ReaderLimits = {}) {
    this.#tail = tail;
    this.#orders = orders;
    this.#broadcast = new Broadcast({
      ...limits,
      clock,
      heartbeat: () =>
        frameOf({
          cursor: formatLogCursor('o1', tail.position ?? 0),
          event: { case: 'heartbeat', value: { time: timestampOf(clock.now()) } },
        }),
    });
  }

  /** Readers, from their snapshots on, and how many have been cut off for being too slow. */
  get statistics(): { readonly readers: number; readonly overflows: number } {
    return { readers: this.#broadcast.size, overflows: this.#broadcast.overflows };
  }

  async *stream(
    request: StreamOrderEventsRequest,
    context: HandlerContext,
  ): AsyncGenerator<StreamOrderEventsResponse> {
    const { scope, resumeAfter } = request;
    const wanted: OrderScope =
      scope.case === 'orderId'
        ? { orderId: scope.value }
        : scope.case === 'account'
          ? { account: scope.value }
          : {};
    using place = this.#broadcast.reserve();
    this.#following ??= this.#tail.subscribe((entries) => this.#publish(entries));
    const resumed = resumeAfter === '' ? undefined : parseLogCursor('o1', resumeAfter);
    if (resumed !== undefined) await checkLogCursor(this.#tail, resumed);
    const snapshot = await this.#snapshot(wanted, resumed);
    if (resumed === undefined) yield* this.#snapshotMessages(snapshot);
    let position = resumed ?? snapshot.position;
    let isOver = isOneAtEnd(wanted, snapshot.orders[0]);
    for (;;) {
      // A heartbeat of the tail must not take the reader back behind what it has got.
      await this.#whenHandedOut(Math.max(position, snapshot.position));
      const last = this.#tail.position ?? 0;
      if (last <= position) break;
      const entries = await this.#tail.readAfter(position, entriesPerPage);
      for (const entry of entries) {
        if (!isWanted(entry, wanted)) continue;
        yield create(StreamOrderEventsResponseSchema, messageOf(entry));
        isOver ||= isOneAtEnd(wanted, entry.order);
      }
      position = entries.at(-1)?.position ?? last;
    }
    // Nothing more will happen to the one order that is asked for.
    if (isOver) return;

    // In the turn in which the tail was met: what it hands out from now on is what is missing.
    place[Symbol.dispose]();
    using subscription = this.#subscribe(context, scopeKey(wanted), position);
    yield* subscription.tail();
  }

  /** Waits until the tail, which is a moment behind Postgres, has come to a position of the log. */
  async #whenHandedOut(position: number): Promise<void> {
    while ((this.#tail.position ?? 0) < position) {
      if (this.#isStopped) throw new Refusal('unavailable', 'The server stops: connect again');
      await this.#handedOut.promise;
    }
  }

  /** @throws Refusal notFound where one order is asked for that is none */
  async #snapshot(wanted: OrderScope, resumed: number | undefined): Promise<OrderSnapshot> {
    if (resumed !== undefined && wanted.orderId === undefined) return { position: 0, orders: [] };
    const snapshot = await this.#orders.snapshot(wanted, { maximumOrders: snapshotOrders });
    if (wanted.orderId === undefined || snapshot.orders.length > 0) return snapshot;
    throw new Refusal('notFound', `order_id: ${JSON.stringify(wanted.orderId)} is no order`, {
      field: 'order_id',
    });
  }

  /** Orders without cursors: who is cut off among them begins anew, lest the rest be missed. */
  async *#snapshotMessages({
    position,
    orders,
  }: OrderSnapshot): AsyncGenerator<StreamOrderEventsResponse> {
    for (let start = 0; start < orders.length; start += ordersPerPage) {
      const page = orders.slice(start, start + ordersPerPage);
      for (const order of await this.#orders.splitsOf(page, snapshotSplits)) {
        const value = splitOrderToMessage(order);
        yield create(StreamOrderEventsResponseSchema, { event: { case: 'order', value } });
      }
    }
    yield create(StreamOrderEventsResponseSchema, {
      cursor: formatLogCursor('o1', position),
      event: { case: 'snapshotEnd', value: {} },
    });
  }

  #subscribe(context: HandlerContext, key: string, seenThrough: number): BroadcastSubscription {
    let delist = () => {};
    const reader = this.#broadcast.subscribe(context, { onEnd: () => delist() });
    delist = this.#readers.add([key], reader);
    this.#seenThrough.set(reader, seenThrough);
    return reader;
  }

  #publish(entries: readonly LogEntry[]): void {
    this.#tellHandedOut();
    for (const entry of entries) {
      if (entry.type === 'order') this.#publishEntry(entry);
    }
  }

  #tellHandedOut(): void {
    this.#handedOut.resolve();
    this.#handedOut = Promise.withResolvers();
  }

  #publishEntry(entry: OrderEntry): void {
    const { order, position } = entry;
    const one = this.#readers.of(scopeKey({ orderId: order.orderId })) ?? [];
    const some = this.#readers.of(scopeKey({ account: order.account })) ?? [];
    let frame: SharedFrame | undefined;
    for (const reader of [...one, ...some, ...(this.#readers.of(scopeKey({})) ?? [])]) {
      if (position <= (this.#seenThrough.get(reader) ?? 0)) continue;
      reader.push((frame ??= frameOf(messageOf(entry))));
    }
    if (!isTerminal(order)) return;
    for (const reader of one) reader.end();
  }

  /** Ends all streams; each tells where it ended by a last heartbeat. */
  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#tellHandedOut();
    this.#following?.[Symbol.dispose]();
    this.#broadcast.beat();
    this.#broadcast[Symbol.dispose]();
  }
}

function scopeKey({ orderId, account }: OrderScope): string {
  if (orderId !== undefined) return `order ${orderId}`;
  return account === undefined ? 'all' : `account ${account}`;
}

/** Whether one order is wanted, and this is it, at its end. */
function isOneAtEnd({ orderId }: OrderScope, order: Order | undefined): boolean {
  return orderId !== undefined && order !== undefined && isTerminal(order);
}

function isWanted(entry: LogEntry, { orderId, account }: OrderScope): entry is OrderEntry {
  if (entry.type !== 'order') return false;
  if (orderId !== undefined) return entry.order.orderId === orderId;
  return account === undefined || entry.order.account === account;
}

type MessageInit = NonNullable<
  Parameters<typeof create<typeof StreamOrderEventsResponseSchema>>[1]
>;

function messageOf({ position, event, order }: OrderEntry): MessageInit {
  return {
    cursor: formatLogCursor('o1', position),
    event: { case: 'orderEvent', value: orderEventToMessage(event, order) },
  };
}

function frameOf(message: MessageInit): SharedFrame {
  return SharedFrame.of(
    StreamOrderEventsResponseSchema,
    create(StreamOrderEventsResponseSchema, message),
  );
}
