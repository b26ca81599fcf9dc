import { systemClock } from '../base/clock.ts';
import type { Environment } from '../base/env.ts';
import type { Candle } from '../domain/candle.ts';
import { openTimeOf } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { MarketClient } from '../rpc/client.ts';
import { CandlePrinter } from './candle-printer.ts';
import type { CandleFormat } from './candle-printer.ts';
import { followCandles, isAnsweredUnavailable } from './follow-candles.ts';
import type { FollowEvent } from './follow-candles.ts';
import { listCandles } from './list-candles.ts';
import { PrintedCandles } from './printed-candles.ts';
import { stopOnRequest } from './stop-on-request.ts';

/** More than a month of minutes; beyond that, ask the database. */
export const mostCandles = 50_000;

/** Which candles to show, and how. */
export type CandleWish = {
  readonly instrument: string;
  readonly timeframe: Timeframe;
  readonly limit: number;
  readonly isFollowed: boolean;
  readonly includeOpen: boolean;
  readonly format: CandleFormat;
};

/** Prints the latest candles and, where it is wished, those that follow until Ctrl-C. */
export async function showCandles(
  market: MarketClient,
  wish: CandleWish,
  environment: Environment,
): Promise<void> {
  const printer = new CandlePrinter(wish.format);
  // One is listed at least: its cursor is where the following begins.
  const range = { ...wish, limit: Math.max(wish.limit, 1) };
  const { candles, cursor } = await listCandles(market, range).catch((error: unknown) => {
    // Streams are served from memory: whoever follows need not wait for the store.
    if (wish.isFollowed && isAnsweredUnavailable(error)) return { candles: [], cursor: undefined };
    throw error;
  });
  const wanted = wish.limit === 0 ? [] : candles;
  await printer.printList(wanted);
  if (!wish.isFollowed) {
    if (wish.limit > 0 && wanted.length === 0) console.error('No candle has closed yet');
    return printer.printSparkline(wanted);
  }

  const printed = new PrintedCandles(openTimeOf(wish.timeframe, systemClock.now()));
  for (const candle of candles) printed.add(candle);
  await new Follower(market, wish, printer, printed).follow(cursor, environment);
}

class Follower {
  readonly #market: MarketClient;
  readonly #wish: CandleWish;
  readonly #printer: CandlePrinter;
  readonly #printed: PrintedCandles;
  /** Whether the open candle is shown in the last line of a terminal. */
  readonly #isInPlace: boolean;

  constructor(
    market: MarketClient,
    wish: CandleWish,
    printer: CandlePrinter,
    printed: PrintedCandles,
  ) {
    this.#market = market;
    this.#wish = wish;
    this.#printer = printer;
    this.#printed = printed;
    this.#isInPlace = process.stdout.isTTY && wish.format === 'table';
  }

  async follow(cursor: string | undefined, environment: Environment): Promise<void> {
    using stop = stopOnRequest(environment);
    const events = followCandles({
      market: this.#market,
      clock: systemClock,
      signal: stop.signal,
      instrument: this.#wish.instrument,
      timeframe: this.#wish.timeframe,
      includeOpen: this.#isInPlace || this.#wish.includeOpen,
      resumeAfter: cursor,
      listFrom: () => this.#printed.firstOpenTime,
    });
    for await (const event of events) await this.#show(event);
    this.#printer.endLine();
  }

  async #show(event: FollowEvent): Promise<void> {
    switch (event.type) {
      case 'candle': {
        const { candle, isRepeat } = event;
        if (candle.isClosed) await this.#printNew(candle, isRepeat);
        else if (this.#isInPlace) await this.#printer.printInPlace(candle);
        else await this.#printer.print(candle);
        return;
      }
      case 'listed':
        for (const candle of event.candles) await this.#printNew(candle, true);
        return;
      case 'unlisted':
        this.#say(`What closed before cannot be listed now (${event.reason}); following`);
        return;
      case 'interrupted': {
        const seconds = (event.delayMs / 1000).toFixed(1);
        this.#say(`${event.reason}; connecting again in ${seconds} s`);
        return;
      }
      case 'resumed':
        this.#say('Connected again');
        return;
      default:
        event satisfies never;
    }
  }

  async #printNew(candle: Candle, isRepeat: boolean): Promise<void> {
    if (!this.#printed.isNew(candle, isRepeat)) return;
    this.#printed.add(candle);
    await this.#printer.print(candle);
  }

  #say(line: string): void {
    this.#printer.endLine();
    console.error(line);
  }
}
