import { expect } from 'vitest';
import type { Decimal } from '../../src/base/decimal.ts';
import type { BookTicker } from '../../src/domain/book-ticker.ts';
import type { Order } from '../../src/domain/order.ts';
import type { Submission } from '../../src/order/order-desk.ts';
import type { OrderManager } from '../../src/order/order-manager.ts';
import { TwinWorld } from '../support/twin-desk.ts';
import type { TwinDesk } from '../support/twin-desk.ts';
import { loggedOrder } from './logged-order.ts';
import { problemsOf } from './orders-model.ts';
import type { Asked, Shown } from './orders-model.ts';
import type { Step } from './orders-scenario.ts';

export type ManagerClass = typeof OrderManager;

/** Lets servers go through a scenario, and holds the log that they leave against the model. */
export async function checkOrders(Manager: ManagerClass, steps: readonly Step[]): Promise<void> {
  await using run = new Run(Manager);
  await run.take({ type: 'start', turns: 0 });
  for (const step of steps) {
    await run.take(step);
    await run.world.settle(step.turns);
  }
  await run.end();
  expect(run.problems).toEqual([]);
}

type Wish = Omit<Asked, 'step' | 'answer'>;

class Run implements AsyncDisposable {
  readonly world = new TwinWorld();
  readonly problems: string[] = [];
  readonly #Manager: ManagerClass;
  readonly #shown: Shown[] = [];
  readonly #lost: number[] = [];
  readonly #asked: Asked[] = [];
  readonly #askedOf = new Map<Asked, TwinDesk>();
  readonly #canceled: string[] = [];
  readonly #answered: Order[] = [];
  #alive: TwinDesk[] = [];
  #step = 0;

  constructor(Manager: ManagerClass) {
    this.#Manager = Manager;
    this.world.market.answer = (instrument) => {
      const known = this.world.market.tickerOf(instrument);
      if (known.type !== 'good') return undefined;
      // The bid has moved meanwhile, and the stream has not told of it.
      const receivedTime = this.world.clock.now();
      const bidQuantity = scaled(1 + (this.#step % 3));
      const updateId = this.world.nextUpdateId();
      const ticker = { ...known.ticker, bidQuantity, updateId, receivedTime };
      this.#shown.push(shownAs(ticker, this.#step));
      return ticker;
    };
  }

  async take(step: Step): Promise<void> {
    const { world } = this;
    this.#step++;
    switch (step.type) {
      case 'submit':
        return this.#submit(wishOf(step));
      case 'repeat': {
        const {
          answer: _,
          step: _step,
          ...wish
        } = this.#asked[step.which] ?? { answer: undefined };
        return 'account' in wish ? this.#submit(wish) : undefined;
      }
      case 'cancel':
        return this.#cancel(step.which);
      case 'cancelAll':
        return this.#cancelAll(step.account);
      case 'ticker':
        return this.#ticker(step);
      case 'pass':
        return await this.#pass(step.ms);
      case 'fault':
        return void world.log.faults.push(step.fault);
      case 'deliverLate':
        return world.log.deliverLate();
      case 'away':
      case 'back':
        world.log.isAway = step.type === 'away';
        return;
      case 'start':
        return await this.#start();
      case 'crash':
        return this.#remove(step.which, (desk) => (desk.isCutOff = true));
      case 'freeze':
        // Its leases have ended, while it believes that nothing has happened.
        return world.log.expireOwner(this.#alive[step.which]?.name ?? '');
      case 'stop':
        return this.#remove(step.which, (desk) => void desk[Symbol.asyncDispose]());
      case 'lose':
        this.#lost.push(this.#step);
        world.market.outage = 'The line was cut';
        return this.#handleMarketChange();
      case 'reopen':
        if (world.market.outage === undefined) return;
        world.market.outage = undefined;
        world.market.forget();
        return this.#handleMarketChange();
      case 'halt':
      case 'resume':
        return world.log[step.type](step.account);
      default:
        step satisfies never;
    }
  }

  /** Ends all faults, lets time pass, and looks at what is left. */
  async end(): Promise<void> {
    const { log } = this.world;
    log.faults.length = 0;
    log.isAway = false;
    log.deliverLate();
    for (const account of [undefined, 'ann', 'bob']) log.resume(account);
    await this.take({ type: 'reopen', turns: 0 });
    await this.take({ type: 'start', turns: 0 });
    await this.#pass(15_000);
    this.#step++;
    for (const instrument of ['binance:BTCUSDT', 'binance:ETHUSDT']) {
      this.#ticker({ instrument, bid: [100, 4], ask: [101, 4] });
    }
    await this.world.settle();
    // Whoever was cut off answers nobody any more.
    for (const [asked, { isCutOff }] of this.#askedOf) if (isCutOff) asked.answer ??= 'cut off';
    this.problems.push(
      ...problemsOf({
        shown: this.#shown,
        lost: this.#lost,
        asked: this.#asked,
        canceled: this.#canceled,
        log: log.events.map(({ event }) => loggedOrder(event, unit)),
        end: this.world.clock.now(),
      }),
    );
    const fills = log.events.filter(({ event }) => event.type === 'filled');
    this.problems.push(
      ...log.breaches.map(
        ({ event, order }) => `${event.type} for ${order.account}, who is halted`,
      ),
    );
    if (log.executions.length !== fills.length) this.problems.push('An execution for each fill');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world[Symbol.asyncDispose]();
  }

  /** A server takes what it is in charge of; of several that do, and of none, the first. */
  #deskOf(instrument: string): TwinDesk | undefined {
    const isHere = ({ manager }: TwinDesk) => manager.ownerOf(instrument).type === 'here';
    return this.#alive.find(isHere) ?? this.#alive[0];
  }

  #submit(wish: Wish): void {
    const desk = this.#deskOf(wish.instrument);
    if (desk === undefined) return;
    const asked: Asked = { ...wish, step: this.#step, answer: undefined };
    this.#asked.push(asked);
    this.#askedOf.set(asked, desk);
    const { limit, quantity, timeout, ...rest } = wish;
    const amounts = { quantity: scaled(quantity), limitPrice: scaled(limit) };
    const submission = desk.manager.submit(
      { ...rest, ...amounts, expireTime: undefined },
      { timeout },
    );
    void this.#note(asked, submission);
  }

  async #note(asked: Asked, submission: Promise<Submission>): Promise<void> {
    try {
      const { order, isAlreadyAccepted } = await submission;
      this.#expectStored(order);
      this.#answered.push(order);
      asked.answer = { orderId: order.orderId, isAlreadyAccepted };
    } catch (error) {
      asked.answer = this.#reasonOf(error);
    }
  }

  #cancel(which: number): void {
    const order = this.#answered[which % Math.max(1, this.#answered.length)];
    if (order === undefined) return;
    this.#deskOf(order.instrument)
      ?.manager.cancel(order)
      .then((canceled) => this.#noteCanceled(canceled))
      .catch((error: unknown) => {
        const status = this.world.log.orders.get(order.orderId)?.status ?? 'unknown';
        const reason = this.#reasonOf(error);
        const isTrue = reason !== 'failedPrecondition' || ['filled', 'expired'].includes(status);
        if (!isTrue) this.problems.push(`${order.orderId} is ${status}, and was not canceled`);
      });
  }

  #cancelAll(account: string): void {
    for (const { manager } of this.#alive) {
      manager
        .cancelAll(account)
        .then((orders) => orders.forEach((order) => this.#noteCanceled(order)))
        .catch((error: unknown) => this.#reasonOf(error));
    }
  }

  #noteCanceled(order: Order): void {
    this.#expectStored(order);
    this.#canceled.push(order.orderId);
  }

  /** Nobody is told of what is not stored, not even for a moment. */
  #expectStored({ orderId, status, version }: Order): void {
    const stored = this.world.log.orders.get(orderId);
    const isThere = stored !== undefined && stored.version >= version;
    if (!isThere) this.problems.push(`${orderId} was told ${status}, and is not stored`);
  }

  #ticker({
    instrument,
    bid,
    ask,
  }: Pick<Extract<Step, { type: 'ticker' }>, 'instrument' | 'bid' | 'ask'>): void {
    const { world } = this;
    if (world.market.outage !== undefined) return;
    const level = ([price, quantity]: typeof bid) => [String(price), String(quantity)] as const;
    const ticker = world.ticker({ instrument, bid: level(bid), ask: level(ask) });
    this.#shown.push(shownAs(ticker, this.#step));
  }

  #handleMarketChange(): void {
    for (const { manager } of this.#alive) manager.handleMarketChange();
  }

  async #start(): Promise<void> {
    if (this.#alive.length >= 2) return;
    const limits = { maximumOpenOrders: 8 };
    this.#alive.push(await this.world.openDesk({ Manager: this.#Manager, ...limits }));
  }

  #remove(which: number, remove: (desk: TwinDesk) => void): void {
    const desk = this.#alive[which];
    if (desk === undefined) return;
    this.#alive = this.#alive.filter((other) => other !== desk);
    remove(desk);
  }

  async #pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 250) {
      this.world.clock.moveTo(this.world.clock.now() + Math.min(250, ms - passed) * 1000);
      await this.world.settle(6);
    }
  }

  /** A refusal is a fine answer; anything else is none. */
  #reasonOf(error: unknown): string {
    if (error instanceof Error && 'reason' in error) return String(error.reason);
    this.problems.push(String(error));
    return 'an error';
  }
}

function wishOf(step: Extract<Step, { type: 'submit' }>): Wish {
  const { type: _, turns: _turns, timeoutMs, ...wish } = step;
  return { ...wish, timeout: wish.timeInForce === 'GTD' ? timeoutMs * 1000 : undefined };
}

/** What amounts are counted in. */
const unit = 10n ** 18n;

function shownAs(ticker: BookTicker, step: number): Shown {
  const { instrument, updateId, receivedTime: time } = ticker;
  const count = (amount: Decimal) => Number(amount / unit);
  const levels = {
    sell: [count(ticker.bidPrice), count(ticker.bidQuantity)],
    buy: [count(ticker.askPrice), count(ticker.askQuantity)],
  } as const;
  return { step, instrument, updateId, time, levels };
}
const scaled = (amount: number): Decimal => BigInt(amount) * unit;
