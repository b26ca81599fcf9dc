import type { Micros } from '../base/clock.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Order, OrderRequest } from '../domain/order.ts';
import type { WaitingFor } from './waiting.ts';

/** Which server decides on the orders of an instrument. */
export type ShardOwner =
  | { readonly type: 'here' }
  /** Another server, which answers at this URL. */
  | { readonly type: 'elsewhere'; readonly url: string }
  /** None at present: one takes over within seconds, this one unless there is a reason against it. */
  | { readonly type: 'nobody'; readonly reason?: string | undefined };

/** What became of a submission. The order is as it is stored. */
export type Submission = {
  readonly order: Order;
  /** Whether the account's client order id had been used for the same order before. */
  readonly isAlreadyAccepted: boolean;
};

/**
 * Takes orders and cancellations. What it answers is stored; all throw Refusal, "unavailable" among
 * others where the instrument's shard is not here: look at `ownerOf` first.
 */
export interface OrderDesk {
  ownerOf(instrument: InstrumentName): ShardOwner;
  /**
   * Accepts an order, durably, and answers it as it was accepted.
   * @param options.timeout µs: a GTD order expires this long after its acceptance, and its
   * `expireTime` is undefined; so the same request can come again under the same client order id
   */
  submit(
    request: OrderRequest,
    options?: { readonly timeout?: Micros | undefined },
  ): Promise<Submission>;
  /** Cancels what is left of an order; one that is canceled already is answered as it is. */
  cancel(order: Pick<Order, 'orderId' | 'account' | 'instrument'>): Promise<Order>;
  /**
   * Cancels an account's open orders whose shards are here, of all instruments or of one; refused
   * (unavailable) where one of the shards does not decide at the end any more, whatever was canceled
   * by then. Of shards that come here meanwhile nothing is canceled.
   */
  cancelAll(account: string, instrument?: InstrumentName): Promise<readonly Order[]>;
  /** Why an open order is not being filled now; undefined where it is at its end, or not here. */
  waitingFor(order: Pick<Order, 'orderId' | 'instrument'>): WaitingFor | undefined;
}
