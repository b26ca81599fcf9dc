/**
 * The obvious way to match: all orders in one list, looked through from the beginning each time. What
 * is used of a level is the sum of the fills since it was displayed. It imports nothing of the engine,
 * and counts in plain small integers.
 */
export type ModelOrder = {
  readonly id: string;
  readonly account: string;
  readonly side: 'buy' | 'sell';
  readonly quantity: number;
  readonly limit: number;
  readonly timeInForce: 'GTC' | 'GTD' | 'IOC' | 'FOK';
  readonly expireTime: number | undefined;
};

export type ModelTicker = {
  readonly updateId: number;
  readonly bid: readonly [price: number, quantity: number];
  readonly ask: readonly [price: number, quantity: number];
  readonly receivedTime: number;
};

type Fill = { readonly price: number; readonly displayed: number; readonly quantity: number };
/** What a side displays, and what was filled from it since it does. */
type Display = { price: number; displayed: number; fills: Fill[] };
type Entry = ModelOrder & { version: number; filled: number; isOpen: boolean };

const fiveSeconds = 5_000_000;

export class MatchingModel {
  /** What was decided since this was last emptied, in words. */
  decisions: string[] = [];
  /** In the order of acceptance. */
  readonly orders: Entry[] = [];
  readonly #displays: Record<'buy' | 'sell', Display> = { buy: nothing(), sell: nothing() };
  /** The display that a restart knows: that of the last fill. */
  readonly #logged: Record<'buy' | 'sell', Display> = { buy: nothing(), sell: nothing() };
  #ticker: ModelTicker | undefined;
  #isGood = false;
  #isFeedDown = false;
  #isDeciding = true;
  #halted: ReadonlySet<string> = new Set();
  #isAllHalted = false;

  add(order: ModelOrder, now: number): void {
    this.orders.push({ ...order, version: 1, filled: 0, isOpen: true });
    this.#decide(now);
  }

  show(ticker: ModelTicker): void {
    if (this.#isGood && this.#ticker !== undefined) {
      if (ticker.updateId < this.#ticker.updateId) return;
      const isSame =
        String([ticker.bid, ticker.ask]) === String([this.#ticker.bid, this.#ticker.ask]);
      if (ticker.updateId === this.#ticker.updateId && !isSame) return;
    }
    this.#ticker = ticker;
    this.#isGood = true;
    for (const [side, [price, displayed]] of [
      ['sell', ticker.bid],
      ['buy', ticker.ask],
    ] as const) {
      const before = this.#displays[side];
      if (before.price === price && before.displayed === displayed) continue;
      this.#displays[side] = { price, displayed, fills: [] };
    }
    this.#decide(ticker.receivedTime);
  }

  lose(now: number): void {
    this.#isGood = false;
    this.#isFeedDown = true;
    this.#decide(now);
  }

  open(): void {
    this.#isFeedDown = false;
  }

  pass(now: number): void {
    if (this.#isDeciding) this.#expire(now);
  }

  cancel(id: string, now: number): void {
    this.pass(now);
    const order = this.orders.find((each) => each.id === id && each.isOpen);
    if (order !== undefined) this.#end(order, 'canceled requested', now);
  }

  halt(accounts: ReadonlySet<string>, isEverything: boolean, now: number): void {
    this.#halted = accounts;
    this.#isAllHalted = isEverything;
    this.#decide(now);
  }

  stop(): void {
    this.#isDeciding = false;
  }

  start(now: number): void {
    this.#isDeciding = true;
    this.#decide(now);
  }

  /** No fresh ticker is to be had: whoever cannot wait for it is canceled. */
  giveUp(now: number): void {
    if (!this.#isDeciding) return;
    for (const order of this.#open().filter(isImmediate))
      this.#end(order, 'canceled noMarket', now);
  }

  /** All that is known is what is in the log, and where `ticker` is given, that. */
  restart(ticker: ModelTicker | undefined, now: number): void {
    this.#ticker = undefined;
    this.#isGood = false;
    this.#isFeedDown = false;
    this.#isDeciding = false;
    this.#displays.buy = this.#logged.buy;
    this.#displays.sell = this.#logged.sell;
    if (ticker !== undefined) this.show(ticker);
    this.start(now);
  }

  waitsFor(order: ModelOrder): string {
    if (!this.#isDeciding) return 'storage';
    if (this.#isAllHalted || this.#halted.has(order.account)) return 'halted';
    if (!this.#isGood || this.#ticker === undefined)
      return this.#isFeedDown ? 'feedDown' : 'noTicker';
    const { bid, ask } = this.#ticker;
    if (ask[0] > 0 && bid[0] >= ask[0]) return 'crossedBook';
    const [price, displayed] = order.side === 'sell' ? bid : ask;
    if (price === 0 || displayed === 0) return 'emptySide';
    if (order.side === 'sell' ? price < order.limit : price > order.limit) return 'priceOutOfReach';
    return this.#left(order.side) === 0 ? 'levelConsumed' : 'staleTicker';
  }

  /** The ticker that holds. */
  get goodTicker(): ModelTicker | undefined {
    return this.#isGood ? this.#ticker : undefined;
  }

  get isDeciding(): boolean {
    return this.#isDeciding;
  }

  #open(): Entry[] {
    return this.orders.filter(({ isOpen }) => isOpen);
  }

  #inLine(side: 'buy' | 'sell'): Entry[] {
    const better = side === 'sell' ? 1 : -1;
    return this.#open()
      .filter((order) => order.side === side)
      .toSorted((a, b) => (a.limit - b.limit) * better);
  }

  #left(side: 'buy' | 'sell'): number {
    const { displayed, fills } = this.#displays[side];
    return displayed - fills.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  #decide(now: number): void {
    if (!this.#isDeciding) return;
    // A clock may be set back: then the ticker is of later than now.
    this.#expire(Math.max(now, this.goodTicker?.receivedTime ?? now));
    const age = now - (this.#ticker?.receivedTime ?? 0);
    for (const order of [...this.#inLine('sell'), ...this.#inLine('buy')]) {
      // All that may be in the way of a fill is what the order would say that it waits for.
      if (this.waitsFor(order) === 'staleTicker' && age <= fiveSeconds) this.#fill(order, now);
    }
    for (const order of this.#open().filter(isImmediate)) {
      const waiting = this.waitsFor(order);
      if (waiting === 'staleTicker') continue;
      const isOutmatched = waiting === 'priceOutOfReach' || waiting === 'levelConsumed';
      const reason = order.timeInForce === 'FOK' ? 'notCovered' : 'notFilledAtOnce';
      this.#end(order, `canceled ${isOutmatched ? reason : 'noMarket'}`, now);
    }
  }

  #expire(now: number): void {
    for (const order of this.#open()) {
      if (order.expireTime !== undefined && order.expireTime <= now) {
        this.#end(order, 'expired', order.expireTime);
      }
    }
  }

  #fill(order: Entry, now: number): void {
    const display = this.#displays[order.side];
    const { updateId = 0, receivedTime = 0 } = this.#ticker ?? {};
    const wanted = order.quantity - order.filled;
    const left = this.#left(order.side);
    if (order.timeInForce === 'FOK' && wanted > left) {
      return this.#end(order, 'canceled notCovered', now);
    }
    const { price, displayed } = display;
    const quantity = Math.min(wanted, left);
    display.fills.push({ price, displayed, quantity });
    this.#logged[order.side] = display;
    order.filled += quantity;
    order.isOpen = order.filled < order.quantity;
    const used = displayed - this.#left(order.side);
    this.#tell(
      order,
      `filled ${quantity} @ ${price} of ${displayed}, ${used} used, by ${updateId}`,
      receivedTime,
    );
  }

  #end(order: Entry, how: string, time: number): void {
    order.isOpen = false;
    this.#tell(order, how, time);
  }

  #tell(order: Entry, what: string, time: number): void {
    this.decisions.push(`${order.id} v${++order.version} ${what} at ${time}`);
  }
}

function nothing(): Display {
  return { price: 0, displayed: 0, fills: [] };
}

function isImmediate({ timeInForce }: ModelOrder): boolean {
  return timeInForce === 'IOC' || timeInForce === 'FOK';
}
