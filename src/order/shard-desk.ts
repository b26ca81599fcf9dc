import type { Micros } from '../base/clock.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Order, OrderRequest } from '../domain/order.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Submission } from './order-desk.ts';
import type { PendingCancel, PendingSubmission } from './pending.ts';
import { alreadyAccepted, answerDuplicate } from './same-request.ts';
import type { ShardSession } from './shard-session.ts';

/** Single orders as they are stored: what the shards do not hold. */
export interface StoredOrders {
  /** @throws in an outage */
  get(
    name: { readonly account: string } & (
      | { readonly orderId: string }
      | { readonly clientOrderId: string }
    ),
    splits: number,
  ): Promise<Order | undefined>;
}

export type ShardDeskOptions = {
  readonly orders: StoredOrders;
  /** The session of the moment, where anything may be decided. */
  readonly deciding: () => ShardSession | undefined;
};

/** Takes orders and cancellations for one shard, and answers what is stored. */
export class ShardDesk {
  readonly #options: ShardDeskOptions;
  /** By account and client order id: those that are being answered. */
  readonly #submissions = new Map<string, PendingSubmission>();

  constructor(options: ShardDeskOptions) {
    this.#options = options;
  }

  async submit(request: OrderRequest, timeout: Micros | undefined): Promise<Submission> {
    const key = `${request.account} ${request.clientOrderId}`;
    const other = request.clientOrderId === undefined ? undefined : this.#submissions.get(key);
    if (other !== undefined) return await this.#answerAfter(other, request, timeout);
    const answer = Promise.withResolvers<Submission>();
    const pending: PendingSubmission = { type: 'submission', request, timeout, answer };
    if (request.clientOrderId !== undefined) this.#submissions.set(key, pending);
    try {
      this.#accept(pending);
      return await answer.promise;
    } finally {
      if (this.#submissions.get(key) === pending) this.#submissions.delete(key);
    }
  }

  async cancel(order: PendingCancel['order']): Promise<Order> {
    const answer = Promise.withResolvers<Order>();
    void this.#cancel({ type: 'cancel', order, answer });
    return await answer.promise;
  }

  /** Cancels an account's open orders, of all instruments or of one. */
  async cancelAll(account: string, instrument?: InstrumentName): Promise<readonly Order[]> {
    const session = this.#deciding();
    const isMeant = (order: Order) =>
      order.account === account && (instrument === undefined || order.instrument === instrument);
    const answers: Promise<Order | Error>[] = [];
    for (const order of [...session.openOrders()].filter(isMeant)) {
      // Thousands are too many for one commit.
      if (!session.mayDecide()) await session.whenStored();
      answers.push(this.cancel(order).catch((error: Error) => error));
    }
    return (await Promise.all(answers)).filter((answer) => isCanceled(answer));
  }

  /** @throws Refusal unavailable where nothing can be decided */
  expectDeciding(): void {
    this.#deciding();
  }

  /** Does again what a failed commit has not done. */
  takeAgain(pending: PendingSubmission | PendingCancel): void {
    if (pending.type === 'submission') this.#accept(pending);
    else void this.#cancel(pending);
  }

  #accept(pending: PendingSubmission): void {
    try {
      const session = this.#deciding();
      session.check(pending);
      session.accept(pending);
    } catch (error) {
      void this.#refuse(pending, error);
    }
  }

  /** What was accepted once is not refused, whatever has changed since. */
  async #refuse(pending: PendingSubmission, refusal: unknown): Promise<void> {
    const { account, clientOrderId } = pending.request;
    const { answer } = pending;
    if (clientOrderId === undefined || !(refusal instanceof Refusal)) return answer.reject(refusal);
    try {
      const order = await this.#read({ account, clientOrderId });
      if (order === undefined) answer.reject(refusal);
      else answerDuplicate(pending, order);
    } catch (outage) {
      answer.reject(outage);
    }
  }

  /** Another submission has the same client order id, and is not answered yet. */
  async #answerAfter(
    other: PendingSubmission,
    request: OrderRequest,
    timeout: Micros | undefined,
  ): Promise<Submission> {
    let submission: Submission;
    try {
      submission = await other.answer.promise;
    } catch {
      return await this.submit(request, timeout);
    }
    return alreadyAccepted({ request, timeout }, submission.order);
  }

  async #cancel(pending: PendingCancel): Promise<void> {
    const { order, answer } = pending;
    try {
      let session = this.#deciding();
      if (session.get(order) === undefined) {
        // It may have ended, or be about to enter: nothing is told of that before it is stored.
        await session.whenStored();
        session = this.#deciding();
      }
      const open = session.get(order);
      if (open !== undefined && open.account !== order.account) throw unknownOrder(order);
      if (session.cancel(pending)) return;
      await session.whenStored();
      const stored = await this.#read(order);
      if (stored === undefined) throw unknownOrder(order);
      answer.resolve(endedOrder(stored));
    } catch (error) {
      answer.reject(error);
    }
  }

  /** @throws Refusal unavailable */
  async #read(name: Parameters<StoredOrders['get']>[0]): Promise<Order | undefined> {
    try {
      return await this.#options.orders.get(name, 0);
    } catch (cause) {
      const message = 'It cannot be read at the moment what became of the order: try again';
      throw new Refusal('unavailable', message, { cause });
    }
  }

  /** @throws Refusal unavailable */
  #deciding(): ShardSession {
    const session = this.#options.deciding();
    if (session !== undefined) return session;
    throw notNow();
  }
}

function endedOrder(order: Order): Order {
  if (order.status === 'canceled') return order;
  if (order.status === 'open' || order.status === 'partiallyFilled') throw notNow();
  throw new Refusal(
    'failedPrecondition',
    `The order is ${order.status}: nothing is left to cancel`,
  );
}

/** One of many that were to be canceled may have ended meanwhile. */
function isCanceled(answer: Order | Error): answer is Order {
  if (!(answer instanceof Error)) return true;
  if (answer instanceof Refusal && answer.reason === 'failedPrecondition') return false;
  throw answer;
}

function unknownOrder({ orderId }: Pick<Order, 'orderId'>): Refusal {
  return new Refusal('notFound', `order_id: expected an order of the account, got ${orderId}`, {
    field: 'order_id',
  });
}

function notNow(): Refusal {
  return new Refusal('unavailable', 'Nothing can be stored at the moment: try again');
}
