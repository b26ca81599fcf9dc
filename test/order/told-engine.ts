import { formatDecimal } from '../../src/base/decimal.ts';
import type { OrderEvent } from '../../src/domain/order-event.ts';
import { MatchingEngine } from '../../src/order/matching-engine.ts';
import { aBookTicker, noon } from '../support/builders.ts';

type Level = readonly [price: string, quantity: string];

/** An engine that is deciding, with what it decided in words, and tickers that follow on each other. */
export class ToldEngine {
  readonly engine: MatchingEngine;
  /** How often it asked for a fresh ticker. */
  asked = 0;
  #decided: string[] = [];
  #updateId = 0;

  constructor(options: { readonly isDeciding: boolean } = { isDeciding: true }) {
    this.engine = new MatchingEngine({
      instrument: 'binance:BTCUSDT',
      decide: (event) => this.#decided.push(inWords(event)),
      needsFreshTicker: () => {
        this.asked++;
      },
    });
    if (options.isDeciding) this.engine.startDeciding(noon);
  }

  /** The next ticker, some milliseconds after noon; far away on the side that is not given. */
  ticker(book: { bid?: Level; ask?: Level; atMs?: number; updateId?: number }): void {
    const { bid = ['1', '1'], ask = ['1000000', '1'], atMs = 0 } = book;
    const { updateId = this.#updateId + 1 } = book;
    this.#updateId = updateId;
    const receivedTime = noon + atMs * 1000;
    this.engine.handleTicker(aBookTicker({ bid, ask, updateId, receivedTime }));
  }

  /** What was decided since the last call. */
  decided(): readonly string[] {
    const decided = this.#decided;
    this.#decided = [];
    return decided;
  }
}

function inWords(event: OrderEvent): string {
  const { orderId, type } = event;
  if (type === 'filled') {
    return `${orderId} filled ${formatDecimal(event.quantity)} @ ${formatDecimal(event.price)}`;
  }
  return type === 'canceled' ? `${orderId} canceled ${event.reason}` : `${orderId} ${type}`;
}
