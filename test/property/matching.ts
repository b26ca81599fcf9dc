import assert from 'node:assert/strict';
import { applyOrderEvent } from '../../src/domain/order-event.ts';
import type { OrderEvent } from '../../src/domain/order-event.ts';
import { isTerminal } from '../../src/domain/order.ts';
import type { Order, OrderSide } from '../../src/domain/order.ts';
import type { MatchingEngine } from '../../src/order/matching-engine.ts';
import type { ConsumedLevel, Halts } from '../../src/order/order-log.ts';
import { noon } from '../support/builders.ts';
import { MatchingModel } from './matching-model.ts';
import type { ModelOrder, ModelTicker } from './matching-model.ts';
import type { Action, Scenario } from './matching-scenario.ts';

export type EngineClass = typeof MatchingEngine;

const instrument = 'binance:BTCUSDT';
const one = 10n ** 18n;

/** Runs a scenario through the engine and the model, and holds each step of one against the other's. */
export function checkMatching(EngineUnderTest: EngineClass, scenario: Scenario): void {
  const both = new Both(EngineUnderTest);
  for (const { afterMs, action } of scenario) both.step(action, afterMs * 1000);
}

class Both {
  readonly #Engine: EngineClass;
  readonly #model = new MatchingModel();
  /** Orders as the log has them, in the order of acceptance. */
  readonly #log = new Map<string, Order>();
  readonly #consumed = new Map<OrderSide, ConsumedLevel>();
  #engine: MatchingEngine;
  #decisions: string[] = [];
  #halts: Halts = { revision: 0, everything: undefined, accounts: new Map() };
  #isAsked = false;
  #now = noon;
  #ticker: ModelTicker = { updateId: 100, bid: [8, 1], ask: [14, 1], receivedTime: noon };

  constructor(EngineUnderTest: EngineClass) {
    this.#Engine = EngineUnderTest;
    this.#engine = this.#openEngine();
    this.#engine.startDeciding(this.#now);
  }

  step(action: Action, after: number): void {
    this.#now += after;
    this.#do(action);
    assert.deepEqual(this.#decisions.toSorted(), this.#model.decisions.toSorted());
    this.#decisions = [];
    this.#model.decisions = [];
    const open = this.#model.orders.filter(({ isOpen }) => isOpen);
    assert.deepEqual(
      [...this.#engine.openOrders()].map(({ orderId }) => orderId),
      open.map(({ id }) => id),
    );
    for (const order of open) {
      assert.equal(this.#engine.waitsFor(order.id)?.type, this.#model.waitsFor(order), order.id);
    }
  }

  #do(action: Action): void {
    const [engine, model, now] = [this.#engine, this.#model, this.#now];
    switch (action.type) {
      case 'ticker': {
        const { bid, ask, repeats } = action;
        const ticker: ModelTicker = {
          updateId: this.#ticker.updateId + action.step,
          bid: repeats === 'bid' || repeats === 'both' ? this.#ticker.bid : bid,
          ask: repeats === 'ask' || repeats === 'both' ? this.#ticker.ask : ask,
          receivedTime: now,
        };
        engine.handleTicker(bookTickerOf(ticker));
        model.show(ticker);
        if (model.goodTicker === ticker) this.#isAsked = false;
        this.#ticker = model.goodTicker ?? ticker;
        return;
      }
      case 'order': {
        const id = `order ${model.orders.length}`;
        const { expiresAfterMs, type: _, ...parts } = action;
        const expireTime = parts.timeInForce === 'GTD' ? now + expiresAfterMs * 1000 : undefined;
        const order: ModelOrder = { ...parts, id, expireTime };
        const accepted = orderOf(order, now);
        this.#log.set(id, accepted);
        engine.add(accepted, now);
        model.add(order, now);
        const isStale = engine.waitsFor(id)?.type === 'staleTicker';
        if (isStale) assert(this.#isAsked, 'A fresh ticker is asked for');
        return;
      }
      case 'cancel': {
        const id = `order ${action.pick}`;
        if (!model.isDeciding) return;
        engine.cancel(id, now);
        return model.cancel(id, now);
      }
      case 'halt': {
        const { isEverything } = action;
        const accounts = new Set<string>(action.accounts);
        this.#halts = {
          revision: this.#halts.revision + 1,
          everything: isEverything ? '' : undefined,
          accounts: new Map([...accounts].map((account) => [account, ''])),
        };
        engine.halt(this.#halts, now);
        return model.halt(accounts, isEverything, now);
      }
      case 'restart':
        return this.#restart(action.isWithTicker ? model.goodTicker : undefined);
      case 'pass':
        engine.expire(now);
        return model.pass(now);
      case 'lose':
        this.#isAsked = false;
        engine.handleMarketLost('cut', now);
        return model.lose(now);
      case 'open':
        engine.handleMarketOpened();
        return model.open();
      case 'stop':
        engine.stopDeciding();
        return model.stop();
      case 'start':
        engine.startDeciding(now);
        return model.start(now);
      case 'giveUp':
        this.#isAsked = false;
        engine.noFreshTicker(now);
        return model.giveUp(now);
      default:
        action satisfies never;
    }
  }

  /** A new engine from what is in the log, as an owner of the shard makes it. */
  #restart(ticker: ModelTicker | undefined): void {
    this.#isAsked = false;
    this.#engine = this.#openEngine();
    this.#engine.restore(this.#consumed.values());
    this.#engine.halt(this.#halts, this.#now);
    for (const order of this.#log.values())
      if (!isTerminal(order)) this.#engine.add(order, this.#now);
    if (ticker !== undefined) this.#engine.handleTicker(bookTickerOf(ticker));
    this.#engine.startDeciding(this.#now);
    this.#model.restart(ticker, this.#now);
  }

  #openEngine(): MatchingEngine {
    return new this.#Engine({
      instrument,
      decide: (event, order) => this.#append(event, order),
      needsFreshTicker: () => {
        assert(!this.#isAsked, 'A fresh ticker is asked for once');
        this.#isAsked = true;
      },
    });
  }

  #append(event: OrderEvent, order: Order): void {
    const after = applyOrderEvent(this.#log.get(event.orderId), event);
    assert.deepEqual(order, after);
    this.#log.set(event.orderId, after);
    this.#decisions.push(inWords(event));
    if (event.type !== 'filled') return;
    const { updateId, price, displayedQuantity, consumedAfter: consumed } = event;
    const { side } = order;
    this.#consumed.set(side, { instrument, side, updateId, price, displayedQuantity, consumed });
  }
}

function inWords(event: OrderEvent): string {
  const { orderId, version, time } = event;
  return `${orderId} v${version} ${whatOf(event)} at ${time}`;
}

function whatOf(event: OrderEvent): string {
  switch (event.type) {
    case 'filled': {
      const { quantity, price, displayedQuantity, consumedAfter, updateId } = event;
      return `filled ${quantity / one} @ ${price / one} of ${displayedQuantity / one}, ${consumedAfter / one} used, by ${updateId}`;
    }
    case 'canceled':
      return `canceled ${event.reason}`;
    case 'expired':
    case 'accepted':
      return event.type;
    default:
      return event satisfies never;
  }
}

function bookTickerOf({ updateId, bid, ask, receivedTime }: ModelTicker) {
  return {
    type: 'bookTicker',
    instrument,
    updateId,
    bidPrice: BigInt(bid[0]) * one,
    bidQuantity: BigInt(bid[1]) * one,
    askPrice: BigInt(ask[0]) * one,
    askQuantity: BigInt(ask[1]) * one,
    receivedTime,
  } as const;
}

function orderOf(order: ModelOrder, acceptedTime: number): Order {
  const { id: orderId, account, side, timeInForce, expireTime } = order;
  const quantity = BigInt(order.quantity) * one;
  const limitPrice = BigInt(order.limit) * one;
  const request = { account, instrument, side, quantity, limitPrice, timeInForce, expireTime };
  return applyOrderEvent(undefined, {
    type: 'accepted',
    orderId,
    version: 1,
    time: acceptedTime,
    request: { ...request, clientOrderId: undefined },
  });
}
