/**
 * What must be true of a log of orders, whatever happened to the servers, the database and the line
 * while it was written. It knows what the world showed, what was asked and what was answered, reads
 * the log from its beginning, and imports nothing of the engine. Amounts are small integers.
 */
export type Side = 'buy' | 'sell';

export type Shown = {
  readonly step: number;
  readonly instrument: string;
  readonly updateId: number;
  readonly time: number;
  /** What sells trade with, and what buys do. */
  readonly levels: Readonly<Record<Side, readonly [price: number, quantity: number]>>;
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

type Entry = Extract<Logged, { type: 'accepted' }> & {
  filled: number;
  version: number;
  ended?: string;
};
type Fill = Extract<Logged, { type: 'filled' }>;

/** Everything that is wrong, in words. */
export function problemsOf(history: History): string[] {
  const problems: string[] = [];
  const orders = new Map<string, Entry>();
  /** The last fill of each side of each instrument. */
  const lastFills = new Map<string, Fill>();
  for (const event of history.log) {
    const say = (problem: string) =>
      problems.push(`${event.orderId} v${event.version}: ${problem}`);
    if (event.type === 'accepted') {
      if (orders.has(event.orderId)) say('accepted twice');
      const { account, clientOrderId: key } = event.asked;
      const others = [...orders.values()].filter(({ asked }) => asked.account === account);
      if (key !== undefined && others.some(({ asked }) => asked.clientOrderId === key)) {
        say(`a second order of ${account} is called ${key}`);
      }
      orders.set(event.orderId, { ...event, filled: 0 });
      continue;
    }
    const order = orders.get(event.orderId);
    if (order === undefined) {
      say('something happened before the acceptance');
      continue;
    }
    if (order.ended !== undefined) say(`${event.type} after it was ${order.ended}`);
    if (event.version !== order.version + 1) say(`does not follow version ${order.version}`);
    order.version = event.version;
    const { expireTime } = order;
    if (event.type === 'expired') {
      if (event.time !== expireTime) say(`expired at ${event.time}, not at ${expireTime}`);
      order.ended = 'expired';
    } else if (event.type === 'canceled') {
      if (expireTime !== undefined && event.time >= expireTime) say('canceled after it expired');
      order.ended = 'canceled';
    } else {
      for (const problem of fillProblems(history, order, event, lastFills)) say(problem);
      order.filled += event.quantity;
      if (order.filled === order.asked.quantity) order.ended = 'filled';
    }
  }
  return [
    ...problems,
    ...answerProblems(history, orders),
    ...endProblems(history, orders, lastFills),
  ];
}

function fillProblems(
  { shown, lost, asked }: History,
  order: Entry,
  fill: Fill,
  lastFills: Map<string, Fill>,
): string[] {
  const { side, instrument, limit, quantity, timeInForce } = order.asked;
  const problems: string[] = [];
  const here = shown.filter((ticker) => ticker.instrument === instrument);
  const tickers = here.filter(
    ({ updateId, time }) => updateId === fill.updateId && time === fill.time,
  );
  const matches = tickers.some(
    ({ levels }) => levels[side][0] === fill.price && levels[side][1] === fill.displayed,
  );
  if (!matches)
    problems.push(`no ticker ${fill.updateId} showed ${fill.displayed} @ ${fill.price}`);
  if (side === 'sell' ? fill.price < limit : fill.price > limit)
    problems.push('worse than its limit');
  if (order.filled + fill.quantity > quantity) problems.push('filled beyond its quantity');
  if (fill.quantity <= 0) problems.push('filled by nothing');
  if (order.expireTime !== undefined && fill.time >= order.expireTime)
    problems.push('filled after it expired');
  if (timeInForce === 'FOK' && fill.quantity !== quantity)
    problems.push('a FOK was filled in part');
  if (timeInForce === 'IOC' && order.filled > 0) problems.push('an IOC was filled twice');
  // What was shown before the line was lost does not count for who came after it.
  const asks = asked.filter(
    ({ answer }) => typeof answer === 'object' && answer.orderId === order.orderId,
  );
  const came = Math.min(...asks.map(({ step }) => step));
  const latest = Math.max(...tickers.map(({ step }) => step));
  if (lost.some((step) => step > latest && step < came))
    problems.push('filled by a ticker from before a gap');

  const key = `${instrument} ${side}`;
  const before = lastFills.get(key);
  lastFills.set(key, fill);
  if (fill.consumedAfter > fill.displayed) problems.push('more was used than displayed');
  if (before !== undefined && fill.updateId < before.updateId)
    problems.push('by an older ticker than the one before');
  const isRepeat = before?.price === fill.price && before.displayed === fill.displayed;
  const changed = here
    .filter(({ updateId }) => updateId > (before?.updateId ?? 0) && updateId < fill.updateId)
    .some(({ levels }) => levels[side][0] !== fill.price || levels[side][1] !== fill.displayed);
  const used = isRepeat ? before.consumedAfter + fill.quantity : fill.quantity;
  // Who did not see the change goes on with what was used before: that is less than there is.
  const allowed = isRepeat && changed ? [used, fill.quantity] : [used];
  if (!allowed.includes(fill.consumedAfter)) {
    problems.push(`used ${fill.consumedAfter} of the level, expected ${allowed.join(' or ')}`);
  }
  return problems;
}

function answerProblems(
  { asked, canceled }: History,
  orders: ReadonlyMap<string, Entry>,
): string[] {
  const problems: string[] = [];
  const answered = new Set<string>();
  for (const { answer, step, timeout, ...request } of asked) {
    if (answer === undefined) problems.push(`what was asked at ${step} is not answered`);
    if (typeof answer !== 'object') continue;
    const order = orders.get(answer.orderId);
    if (order === undefined) {
      problems.push(`${answer.orderId} was answered OK and is not there`);
      continue;
    }
    if (!isSame(order.asked, request)) {
      problems.push(`${answer.orderId} is not what was asked for at ${step}`);
    }
    if (timeout !== undefined && order.expireTime !== order.time + timeout) {
      problems.push(`${answer.orderId} does not expire ${timeout} after its acceptance`);
    }
    if (answer.isAlreadyAccepted) continue;
    if (answered.has(answer.orderId)) problems.push(`${answer.orderId} was new twice`);
    answered.add(answer.orderId);
  }
  for (const order of orders.values()) {
    const alike = (others: readonly { readonly asked: Entry['asked'] }[]) =>
      others.filter((other) => isSame(other.asked, order.asked)).length;
    const mayBeThere = asked.filter(({ answer }) => !isRefused(answer) && !isRepeat(answer));
    const most = alike(mayBeThere.map((request) => ({ asked: request })));
    if (alike([...orders.values()]) > most) problems.push(`${order.orderId} is there too often`);
  }
  for (const orderId of canceled) {
    const ended = orders.get(orderId)?.ended;
    if (ended !== 'canceled') problems.push(`${orderId} was canceled, and is ${ended ?? 'open'}`);
  }
  return problems;
}

/** Not when it is unknown what became of it. */
function isRefused(answer: Asked['answer']): boolean {
  return typeof answer === 'string' && answer !== 'unavailable' && answer !== 'cut off';
}

function isRepeat(answer: Asked['answer']): boolean {
  return typeof answer === 'object' && answer.isAlreadyAccepted;
}

function isSame(a: Entry['asked'], b: Entry['asked']): boolean {
  const told = ({
    account,
    instrument,
    side,
    quantity,
    limit,
    timeInForce,
    clientOrderId,
  }: typeof a) => String([account, instrument, side, quantity, limit, timeInForce, clientOrderId]);
  return told(a) === told(b);
}

/** Nothing waits for what it could have had long ago. */
function endProblems(
  { shown, end }: History,
  orders: ReadonlyMap<string, Entry>,
  lastFills: ReadonlyMap<string, Fill>,
): string[] {
  const problems: string[] = [];
  for (const { orderId, asked, expireTime, ended } of orders.values()) {
    if (ended !== undefined) continue;
    const { timeInForce, instrument, side, limit } = asked;
    if (timeInForce === 'IOC' || timeInForce === 'FOK')
      problems.push(`${orderId}: ${timeInForce} rests`);
    if (expireTime !== undefined && expireTime <= end) problems.push(`${orderId} has not expired`);
    const last = shown.findLast((ticker) => ticker.instrument === instrument);
    if (last === undefined) continue;
    const [price, displayed] = last.levels[side];
    if (side === 'sell' ? price < limit : price > limit) continue;
    const fill = lastFills.get(`${instrument} ${side}`);
    const isUsed = fill?.price === price && fill.displayed === displayed;
    if (displayed > (isUsed ? fill.consumedAfter : 0)) problems.push(`${orderId} could be filled`);
  }
  return problems;
}
