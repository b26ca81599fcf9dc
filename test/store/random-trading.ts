import { formatDecimal } from '../../src/base/decimal.ts';
import { remainingQuantity } from '../../src/domain/order.ts';
import type { DecidedEvent } from '../../src/order/order-log.ts';
import type { Random } from '../../src/simulator/random.ts';
import { noon } from '../support/builders.ts';
import { DecidedOrder } from '../support/decided-order.ts';

/** Decides things about the orders of a shard at random, as its owner would. */
export class RandomTrading {
  readonly #name: string;
  readonly #random: Random;
  #open: DecidedOrder[] = [];
  #orders = 0;
  #updateId = 0;

  constructor(name: string, random: Random) {
    this.#name = name;
    this.#random = random;
  }

  /** The next batch; to be appended before the next one is asked for. */
  decide(size: number): DecidedEvent[] {
    const accepted = Array.from({ length: this.#below(size) + 1 }, () => this.#accept());
    const decided = this.#open.flatMap((order) => this.#happensTo(order));
    this.#open = [...this.#open, ...accepted].filter(
      ({ order: { status } }) => status === 'open' || status === 'partiallyFilled',
    );
    return [...decided, ...accepted.map(({ accepted }) => accepted)];
  }

  #accept(): DecidedOrder {
    const number = ++this.#orders;
    return new DecidedOrder({
      orderId: `${this.#name}-${number}`,
      account: `account-${this.#below(3)}`,
      instrument: `binance:${this.#name}${this.#below(2)}`,
      side: this.#below(2) === 0 ? 'buy' : 'sell',
      quantity: `${this.#below(5) + 1}.${this.#below(1e9)}1`,
      limitPrice: `100.${this.#below(1e9)}`,
      expireTime: this.#below(3) === 0 ? noon + 60_000_000 + this.#below(1e6) : undefined,
      clientOrderId: this.#below(2) === 0 ? `${this.#name}-${number}` : undefined,
    });
  }

  #happensTo(order: DecidedOrder): DecidedEvent[] {
    const what = this.#below(8);
    if (what === 0) return [order.cancel()];
    if (what === 1 && order.order.expireTime !== undefined) return [order.expire()];
    if (what > 4) return [];
    const { side } = order.order;
    const remaining = remainingQuantity(order.order);
    const quantity = what === 2 ? remaining : remaining / BigInt(this.#below(9) + 2);
    if (quantity === 0n) return [];
    const price = side === 'sell' ? `101.${this.#below(1e9)}` : `99.${this.#below(1e9)}`;
    const updateId = ++this.#updateId;
    return [order.split({ quantity: formatDecimal(quantity), price, updateId })];
  }

  #below(bound: number): number {
    return this.#random.integer(0, bound - 1);
  }
}
