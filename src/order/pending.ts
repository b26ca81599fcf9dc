import type { Micros } from '../base/clock.ts';
import type { Order, OrderRequest } from '../domain/order.ts';
import type { DecidedEvent } from './order-log.ts';
import type { Submission } from './order-desk.ts';

/** Somebody who waits for an order to be accepted. */
export type PendingSubmission = {
  readonly type: 'submission';
  readonly request: OrderRequest;
  /** Of a GTD order: how long after its acceptance it expires. */
  readonly timeout: Micros | undefined;
  readonly answer: PromiseWithResolvers<Submission>;
};

/** Somebody who waits for an order to be canceled. */
export type PendingCancel = {
  readonly type: 'cancel';
  readonly order: Pick<Order, 'orderId' | 'account' | 'instrument'>;
  readonly answer: PromiseWithResolvers<Order>;
};

/** What a shard decided, and who waits for it to be stored. */
export type ShardEvent = DecidedEvent & { readonly pending?: PendingSubmission | PendingCancel };
