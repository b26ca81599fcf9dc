import type { Micros } from '../base/clock.ts';
import { Refusal } from '../domain/refusal.ts';
import { countText } from './count-text.ts';
import type { Print, SymbolMarket } from './symbol-market.ts';

/** An aggregate trade as it is told to clients. */
export type TapeTrade = {
  readonly id: number;
  readonly firstTradeId: number;
  readonly lastTradeId: number;
  readonly price: string;
  readonly quantity: string;
  readonly time: Micros;
  readonly isTakerSell: boolean;
};

/** Generated trades that were really shown: ids from `from` up to but without `to`, lifted. */
export type Segment = {
  readonly from: number;
  readonly to: number;
  /** What is added to the generated market's own ids, of aggregate and of single trades. */
  readonly lift: number;
  readonly singleLift: number;
};

/** Injected trades are kept for as long as the simulator runs, at most so many a symbol. */
const maxInjectedTrades = 100_000;
/** Pauses of one symbol; each costs every later question a step. */
const maxPauses = 1_000;

/**
 * The trades of one symbol as the world sees them: the generated market's, but for the times in
 * which it was paused, and those injected by hand. After a pause the generated market goes on with
 * what it does at that time, renumbered so that its ids follow the last ones that anybody has seen.
 */
export class Tape {
  readonly market: SymbolMarket;
  readonly #segments: Segment[] = [{ from: 0, to: Infinity, lift: 0, singleLift: 0 }];
  readonly #injected: TapeTrade[] = [];
  readonly #injectedIds = new Set<number>();

  constructor(market: SymbolMarket) {
    this.market = market;
  }

  get isPaused(): boolean {
    return this.#segments.at(-1)?.to !== Infinity;
  }

  /** Whether it is more than the generated market, and would be lost when forgotten. */
  get isTouched(): boolean {
    return this.#segments.length > 1 || this.isPaused;
  }

  /** The injected trades, in order of their ids. */
  get injected(): readonly TapeTrade[] {
    return this.#injected;
  }

  /** Ends the generated market's trades with what was sent until now. */
  pause(now: Micros): void {
    const last = this.#segments.at(-1);
    if (last === undefined || this.isPaused) return;
    if (this.#segments.length >= maxPauses) {
      throw new Refusal('limit', `symbol: expected at most ${maxPauses} pauses`);
    }
    this.#segments[this.#segments.length - 1] = { ...last, to: this.market.tradesSentBy(now) };
  }

  /** Lets the generated market's trades go on with those that are sent after now. */
  resume(now: Micros): void {
    if (!this.isPaused) return;
    const from = this.market.tradesSentBy(now);
    const { firstTradeId } = this.market.trade(from);
    let [id, single] = [-1, -1];
    for (const trade of [...this.#shown(now, 0, Infinity, 1, true), ...this.#injected]) {
      id = Math.max(id, trade.id);
      single = Math.max(single, trade.lastTradeId);
    }
    this.#segments.push({
      from,
      to: Infinity,
      lift: id + 1 - from,
      singleLift: single + 1 - firstTradeId,
    });
  }

  /** Puts a trade on the tape; one whose id is there already stays out, as a repeat. */
  inject(trade: TapeTrade, now: Micros): void {
    if (this.#injected.length >= maxInjectedTrades) {
      throw new Refusal('limit', `frames: expected at most ${maxInjectedTrades} trades a symbol`);
    }
    const isGenerated = this.segments(now).some(
      ({ from, to, lift }) => trade.id >= from + lift && trade.id < to + lift,
    );
    if (isGenerated || this.#injectedIds.has(trade.id)) return;
    const last = this.#injected.at(-1);
    this.#injectedIds.add(trade.id);
    this.#injected.push(trade);
    if (last !== undefined && last.id > trade.id) this.#injected.sort((a, b) => a.id - b.id);
  }

  /** The segments as far as they have been sent. */
  segments(now: Micros): readonly Segment[] {
    const sent = this.market.tradesSentBy(now);
    return this.#segments
      .map((segment) => ({ ...segment, to: Math.min(segment.to, sent) }))
      .filter(({ from, to }) => from < to);
  }

  /** The generated trades that are sent within (from, to], under the ids they are shown with. */
  prints(from: Micros, to: Micros): readonly Print[] {
    const segment = this.#segments.at(-1);
    if (segment === undefined) return [];
    const prints: Print[] = [];
    const end = Math.min(segment.to, this.market.tradesSentBy(to));
    for (let id = Math.max(segment.from, this.market.tradesSentBy(from)); id < end; id++) {
      prints.push(lifted(this.market.trade(id), segment));
    }
    return prints;
  }

  /** At most `limit` trades with ids from `fromId` on, in order of ids. */
  tradesFrom(fromId: number, limit: number, now: Micros): readonly TapeTrade[] {
    const trades = this.#shownFromId(now, fromId, limit);
    const injected = this.#injected.filter(({ id }) => id >= fromId);
    return byId([...trades, ...injected]).slice(0, limit);
  }

  /**
   * At most `limit` trades matched in [fromTime, toTime), the first ones or the last ones, in order
   * of ids.
   */
  tradesWithin(
    [fromTime, toTime]: readonly [Micros, Micros],
    [limit, isFromEnd]: readonly [limit: number, isFromEnd: boolean],
    now: Micros,
  ): readonly TapeTrade[] {
    const trades = this.#shown(now, fromTime, toTime, limit, isFromEnd);
    const injected = this.#injected.filter(({ time }) => time >= fromTime && time < toTime);
    const all = byId([...trades, ...injected]);
    return isFromEnd ? all.slice(-limit) : all.slice(0, limit);
  }

  /** When the first trade was matched; undefined before it was sent. */
  firstTime(now: Micros): Micros | undefined {
    const first = this.#shown(now, 0, Infinity, 1, false)[0]?.time;
    return this.#injected.reduce<Micros | undefined>(
      (earliest, { time }) => Math.min(earliest ?? time, time),
      first,
    );
  }

  /** The price of the last trade that was matched before `time`. */
  lastPriceBefore(time: Micros, now: Micros): string | undefined {
    let last = this.#shown(now, 0, time, 1, true).at(0);
    for (const trade of this.#injected) {
      if (trade.time >= time) continue;
      if (last === undefined || isEarlier(last, trade)) last = trade;
    }
    return last?.price;
  }

  /** The generated trades that were shown, matched in [fromTime, toTime). */
  #shown(
    now: Micros,
    fromTime: Micros,
    toTime: Micros,
    limit: number,
    isFromEnd: boolean,
  ): TapeTrade[] {
    const trades: TapeTrade[] = [];
    const segments = this.segments(now);
    for (const segment of isFromEnd ? segments.toReversed() : segments) {
      const from = Math.max(segment.from, this.market.tradesBefore(fromTime));
      const to =
        toTime === Infinity ? segment.to : Math.min(segment.to, this.market.tradesBefore(toTime));
      const left = limit - trades.length;
      const first = isFromEnd ? Math.max(from, to - left) : from;
      const end = isFromEnd ? to : Math.min(to, from + left);
      for (let id = first; id < end; id++) trades.push(this.told(id, segment));
    }
    return trades;
  }

  #shownFromId(now: Micros, fromId: number, limit: number): TapeTrade[] {
    const trades: TapeTrade[] = [];
    for (const segment of this.segments(now)) {
      const from = Math.max(segment.from, fromId - segment.lift);
      const end = Math.min(segment.to, from + limit - trades.length);
      for (let id = from; id < end; id++) trades.push(this.told(id, segment));
    }
    return trades;
  }

  /** The generated trade `id` of a segment, as it is shown. */
  told(id: number, segment: Segment): TapeTrade {
    const { tickDecimals, lotDecimals } = this.market.profile;
    const { price, lots, sentTime: _, ...rest } = lifted(this.market.trade(id), segment);
    return {
      ...rest,
      price: countText(price, tickDecimals),
      quantity: countText(lots, lotDecimals),
    };
  }
}

function lifted(print: Print, { lift, singleLift }: Segment): Print {
  return {
    ...print,
    id: print.id + lift,
    firstTradeId: print.firstTradeId + singleLift,
    lastTradeId: print.lastTradeId + singleLift,
  };
}

/** The order of trades: by time, then by id. */
export function isEarlier(a: TapeTrade, b: TapeTrade): boolean {
  return a.time < b.time || (a.time === b.time && a.id < b.id);
}

function byId(trades: readonly TapeTrade[]): readonly TapeTrade[] {
  return trades.toSorted((a, b) => a.id - b.id);
}
