import { systemClock } from '../base/clock.ts';
import type { Environment } from '../base/env.ts';
import { onStopRequested } from '../base/stop-signals.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { MarketClient } from '../rpc/client.ts';
import { CandlePrinter } from './candle-printer.ts';
import type { CandleFormat } from './candle-printer.ts';
import { followCandles } from './follow-candles.ts';
import type { FollowEvent } from './follow-candles.ts';
import { listCandles } from './list-candles.ts';
import { PrintedCandles } from './printed-candles.ts';

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
  const { candles, cursor } = await listCandles(market, {
    ...wish,
    limit: Math.max(wish.limit, 1),
  });
  const wanted = wish.limit === 0 ? [] : candles;
  await printer.printList(wanted);
  if (!wish.isFollowed) {
    if (wish.limit > 0 && wanted.length === 0) console.error('No candle has closed yet');
    return printer.printSparkline(wanted);
  }

  const printed = new PrintedCandles(candles[0]?.openTime ?? 0);
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

  async follow(cursor: string, environment: Environment): Promise<void> {
    const stop = new AbortController();
    using _watch = onStopRequested(systemClock, environment, {
      onStop: () => stop.abort(),
      onInsist: () => process.exit(1),
    });
    let resumeAfter: string | undefined = cursor;
    while (resumeAfter !== undefined) {
      const events = followCandles({
        market: this.#market,
        clock: systemClock,
        signal: stop.signal,
        instrument: this.#wish.instrument,
        timeframe: this.#wish.timeframe,
        includeOpen: this.#isInPlace || this.#wish.includeOpen,
        resumeAfter,
      });
      resumeAfter = undefined;
      for await (const event of events) {
        if (event.type === 'outOfRange') resumeAfter = await this.#listAgain();
        else await this.#show(event);
      }
    }
    this.#printer.endLine();
  }

  async #show(event: Exclude<FollowEvent, { readonly type: 'outOfRange' }>): Promise<void> {
    switch (event.type) {
      case 'candle': {
        const { candle, isRepeat } = event;
        if (!candle.isClosed) {
          if (this.#isInPlace) await this.#printer.printInPlace(candle);
          else await this.#printer.print(candle);
        } else if (!isRepeat || this.#printed.isNew(candle)) {
          this.#printed.add(candle);
          await this.#printer.print(candle);
        }
        return;
      }
      case 'interrupted': {
        this.#printer.endLine();
        const seconds = (event.delayMs / 1000).toFixed(1);
        console.error(`${event.reason}; connecting again in ${seconds} s`);
        return;
      }
      case 'resumed':
        console.error('Connected again');
        return;
      default:
        event satisfies never;
    }
  }

  /** Prints what closed since the latest printed one. @returns the cursor to follow from */
  async #listAgain(): Promise<string> {
    const startTime = this.#printed.latest;
    const { candles, cursor } = await listCandles(this.#market, {
      instrument: this.#wish.instrument,
      timeframe: this.#wish.timeframe,
      limit: mostCandles,
      ...(startTime === undefined ? {} : { startTime }),
    });
    for (const candle of candles) {
      if (!this.#printed.isNew(candle)) continue;
      this.#printed.add(candle);
      await this.#printer.print(candle);
    }
    return cursor;
  }
}
