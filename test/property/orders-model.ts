/**
 * What must be true of a log of orders, whatever happened to the servers, the database and the line
 * while it was written. It knows what the world showed, what was asked and what was answered, reads
 * the log from its beginning, and imports nothing of the engine. Amounts are small integers.
 */
export type Side = 'buy' | 'sell';
export type Level = readonly [price: number, quantity: number];

export type Shown = {
  readonly step: number;
  readonly instrument: string;
  readonly updateId: number;
  /** When it was received, where that is known. */
  readonly time: number | undefined;
  /** What sells trade with, and what buys do. */
  readonly levels: Readonly<Record<Side, Level>>;
};

export type Asked = {
  readonly step: number;
  readonly account: string;
  readonly instrument: string;
  readonly side: Side;
  readonly quantity: number;
  readonly limit: number;
  readonly timeInForce: 'GTC' | 'GTD' | 'IOC' | 'FOK';
  readonly timeout: number | undefined;
  readonly clientOrderId: string | undefined;
  answer: { readonly orderId: string; readonly isAlreadyAccepted: boolean } | string | undefined;
};

export type Logged = {
  readonly orderId: string;
  readonly version: number;
  readonly time: number;
} & (
  | {
      readonly type: 'accepted';
      readonly expireTime: number | undefined;
      readonly asked: Omit<Asked, 'step' | 'answer' | 'timeout'>;
    }
  | {
      readonly type: 'filled';
      readonly price: number;
      readonly quantity: number;
      readonly updateId: number;
      readonly displayed: number;
      readonly consumedAfter: number;
    }
  | { readonly type: 'canceled'; readonly reason: string }
  | { readonly type: 'expired' }
);

export type History = {
  readonly shown: readonly Shown[];
  /** The steps at which the line was lost. */
  readonly lost: readonly number[];
  readonly asked: readonly Asked[];
  /** Orders of which a cancel was answered OK. */
  readonly canceled: readonly string[];
  readonly log: readonly Logged[];
  /** All faults have been over for long, and trading is not halted. */
  readonly end: number;
};

/** Everything that is wrong, in words. */
export function problemsOf(history: History): string[] {
  const reading = new Reading(history);
  for (const event of history.log) reading.read(event);
  reading.compareAnswers();
  reading.lookForOverdue();
  return reading.problems;
}

type Accepted = Extract<Logged, { type: 'accepted' }>;
type Fill = Extract<Logged, { type: 'filled' }>;
type Entry = Accepted & { filled: number; version: number; ended?: string };

class Reading {
  readonly problems: string[] = [];
  readonly #history: History;
  readonly #shown: ReadonlyMap<string, readonly Shown[]>;
  readonly #orders = new Map<string, Entry>();
  readonly #keys = new Set<string>();
  /** By instrument and side. */
  readonly #lastFills = new Map<string, Fill>();
  /** By order, when it was asked for, as far as that is known. */
  readonly #cameAt = new Map<string, number>();

  constructor(history: History) {
    this.#history = history;
    this.#shown = Map.groupBy(history.shown, ({ instrument }) => instrument);
    for (const { answer, step } of history.asked) {
      if (typeof answer !== 'object') continue;
      const { orderId } = answer;
      this.#cameAt.set(orderId, Math.min(this.#cameAt.get(orderId) ?? Infinity, step));
    }
  }

  read(event: Logged): void {
    const order = this.#orders.get(event.orderId);
    if (event.type === 'accepted') return this.#accept(event, order);
    if (order === undefined) return this.#say(event, 'something happened before the acceptance');
    this.#unless(order.ended === undefined, event, `${event.type} after it was ${order.ended}`);
    const follows = event.version === order.version + 1;
    this.#unless(follows, event, `does not follow version ${order.version}`);
    order.version = event.version;
    const { expireTime = Infinity } = order;
    if (event.type === 'expired') {
      this.#unless(event.time === expireTime, event, `expired at ${event.time}`);
      order.ended = 'expired';
      return;
    }
    this.#unless(event.time < expireTime, event, `${event.type} after its time`);
    if (event.type === 'canceled') order.ended = 'canceled';
    else this.#fill(order, event);
  }

  compareAnswers(): void {
    const { asked, canceled } = this.#history;
    const answered = new Set<string>();
    /** How often what is the same but for its time may be there. */
    const most = new Map<string, number>();
    for (const { answer, step, timeout, ...request } of asked) {
      const isNew = typeof answer === 'object' && !answer.isAlreadyAccepted;
      // Where nothing was known it may be there.
      if (isNew || answer === undefined || answer === 'unavailable' || answer === 'cut off') {
        most.set(inWords(request), (most.get(inWords(request)) ?? 0) + 1);
      }
      if (answer === undefined) this.problems.push(`what was asked at ${step} is not answered`);
      if (typeof answer !== 'object') continue;
      const order = this.#orders.get(answer.orderId);
      if (order === undefined) {
        this.problems.push(`${answer.orderId} was answered OK and is not there`);
        continue;
      }
      const isSame = inWords(order.asked) === inWords(request);
      this.#unless(isSame, order, `is not what was asked for at ${step}`);
      const isInTime = timeout === undefined || order.expireTime === order.time + timeout;
      this.#unless(isInTime, order, `does not expire ${timeout} after its acceptance`);
      this.#unless(!isNew || !answered.has(order.orderId), order, 'was new twice');
      if (isNew) answered.add(order.orderId);
    }
    for (const order of this.#orders.values()) {
      const left = (most.get(inWords(order.asked)) ?? 0) - 1;
      most.set(inWords(order.asked), left);
      this.#unless(left >= 0, order, 'is there once more than it was asked for');
    }
    for (const orderId of canceled) {
      const ended = this.#orders.get(orderId)?.ended ?? 'open';
      if (ended !== 'canceled') this.problems.push(`${orderId} was canceled, and is ${ended}`);
    }
  }

  /** Nothing waits for what it could have had long ago. */
  lookForOverdue(): void {
    for (const order of this.#orders.values()) {
      if (order.ended !== undefined) continue;
      const { timeInForce, instrument, side, limit } = order.asked;
      const mayRest = timeInForce !== 'IOC' && timeInForce !== 'FOK';
      this.#unless(mayRest, order, `an ${timeInForce} order rests`);
      const isInTime = (order.expireTime ?? Infinity) > this.#history.end;
      this.#unless(isInTime, order, 'has not expired');
      const level = this.#shown.get(instrument)?.at(-1)?.levels[side];
      if (level === undefined || isWorse(side, level[0], limit)) continue;
      const used = this.#usedOf(instrument, side, level);
      this.#unless(level[1] === used, order, 'could be filled');
    }
  }

  #accept(event: Accepted, order: Entry | undefined): void {
    this.#unless(order === undefined && event.version === 1, event, 'accepted twice');
    const { account, clientOrderId = event.orderId } = event.asked;
    const key = `${account} ${clientOrderId}`;
    this.#unless(!this.#keys.has(key), event, `a second order of ${key}`);
    this.#keys.add(key);
    this.#orders.set(event.orderId, { ...event, filled: 0 });
  }

  #fill(order: Entry, fill: Fill): void {
    const { side, instrument, limit, quantity, timeInForce } = order.asked;
    const here = this.#shown.get(instrument) ?? [];
    const isOfFill = ({ updateId, time = fill.time, levels }: Shown) =>
      updateId === fill.updateId && time === fill.time && isLevel(levels[side], fill);
    const tickers = here.filter(isOfFill);
    this.#unless(tickers.length > 0, fill, `nobody showed ${fill.displayed} @ ${fill.price}`);
    this.#unless(!isWorse(side, fill.price, limit), fill, 'worse than its limit');
    order.filled += fill.quantity;
    this.#unless(fill.quantity > 0 && order.filled <= quantity, fill, 'beyond its quantity');
    const isAtOnce = timeInForce === 'FOK' ? fill.quantity === quantity : fill.version === 2;
    const mayRest = timeInForce === 'GTC' || timeInForce === 'GTD';
    this.#unless(mayRest || isAtOnce, fill, `an ${timeInForce} order is not filled so`);
    if (order.filled === quantity) order.ended = 'filled';

    // What was shown before the line was lost does not count for who came after it.
    const latest = Math.max(...tickers.map(({ step }) => step));
    const came = this.#cameAt.get(fill.orderId) ?? -Infinity;
    const isOld = this.#history.lost.some((step) => step > latest && step < came);
    this.#unless(!isOld, fill, 'by a ticker from before a gap');
    this.#use(`${instrument} ${side}`, fill, (other) =>
      here.some(
        ({ updateId, levels }) =>
          updateId > other.updateId && updateId < fill.updateId && !isLevel(levels[side], fill),
      ),
    );
  }

  /** What is displayed is used once, until it changes. */
  #use(key: string, fill: Fill, hasChangedSince: (other: Fill) => boolean): void {
    const before = this.#lastFills.get(key);
    this.#lastFills.set(key, fill);
    this.#unless(fill.consumedAfter <= fill.displayed, fill, 'more is used than displayed');
    const { updateId = -Infinity } = before ?? {};
    this.#unless(fill.updateId >= updateId, fill, 'by an older ticker than the one before');
    const isRepeat = before?.price === fill.price && before.displayed === fill.displayed;
    const goesOn = isRepeat && fill.consumedAfter === before.consumedAfter + fill.quantity;
    // Who has not seen that it changed goes on with what was used before: that is less than there is.
    const beginsAnew = fill.consumedAfter === fill.quantity;
    const isRight = goesOn || (beginsAnew && (!isRepeat || hasChangedSince(before)));
    this.#unless(isRight, fill, `uses ${fill.quantity} of what others have used before`);
  }

  #usedOf(instrument: string, side: Side, [price, displayed]: Level): number {
    const last = this.#lastFills.get(`${instrument} ${side}`);
    return last !== undefined && isLevel([price, displayed], last) ? last.consumedAfter : 0;
  }

  #unless(isRight: boolean, event: Pick<Logged, 'orderId' | 'version'>, problem: string): void {
    if (!isRight) this.#say(event, problem);
  }

  #say({ orderId, version }: Pick<Logged, 'orderId' | 'version'>, problem: string): void {
    this.problems.push(`${orderId} v${version}: ${problem}`);
  }
}

function isLevel([price, displayed]: Level, fill: Fill): boolean {
  return price === fill.price && displayed === fill.displayed;
}

function isWorse(side: Side, price: number, limit: number): boolean {
  return side === 'sell' ? price < limit : price > limit;
}

/** What was asked for, without when. */
function inWords(asked: Accepted['asked']): string {
  const { account, instrument, side, quantity, limit, timeInForce, clientOrderId } = asked;
  return String([account, instrument, side, quantity, limit, timeInForce, clientOrderId]);
}
