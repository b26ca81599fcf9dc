import { stat } from 'node:fs/promises';
import { Failure } from '../cli/failure.ts';
import type { ExchangeName } from '../domain/instrument.ts';
import type { TimeUnit } from '../exchange/exchange.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { CandleCollection } from './candle-collection.ts';
import { CaptureSurvey } from './capture-survey.ts';
import type { ReplayedOrder } from './instrument-orders.ts';
import type { WantedOrder } from './order-arguments.ts';
import { OrderReplay } from './order-replay.ts';
import { readLines } from './read-lines.ts';
import { Replay } from './replay.ts';
import type { ReplaySummary } from './replay-summary.ts';

export type CaptureOptions = {
  readonly exchange: ExchangeName;
  /** What the integer times in the lines count. */
  readonly timeUnit: TimeUnit;
  readonly timeframes: readonly Timeframe[];
  /** Orders to be fulfilled against the book tickers. */
  readonly orders?: readonly WantedOrder[];
  /** Told the part of the work that is done, from 0 to 1. */
  readonly onProgress: (part: number) => void;
};

export type CaptureResult = {
  readonly candles: CandleCollection;
  readonly orders: readonly ReplayedOrder[];
  readonly summary: ReplaySummary;
};

/**
 * Replays captures, one after the other, and keeps the last state of each candle and order.
 * @throws Failure for a file that cannot be read to its end, and for an order that is not of its
 * instruments or times
 */
export async function replayCaptures(
  paths: readonly string[],
  { exchange, timeUnit, timeframes, orders: wanted = [], onProgress }: CaptureOptions,
): Promise<CaptureResult> {
  const total = 2 * (await totalSize(paths));
  let done = 0;
  const takeLines = async (path: string, take: (line: string) => void) => {
    let read = 0;
    for await (const lines of readLines(path, (bytes) => {
      done += bytes - read;
      read = bytes;
    })) {
      for (const line of lines) take(line);
      onProgress(total === 0 ? 1 : done / total);
    }
  };

  // Whether a symbol has single trades is known only at the end, and its first aggregated trade may
  // be the first line: so the files are read twice.
  const survey = new CaptureSurvey(exchange, timeUnit);
  for (const path of paths) {
    survey.beginFile();
    await takeLines(path, (line) => survey.take(line));
  }

  const known = new Set(survey.instruments.flatMap((instruments) => [...instruments]));
  const orders = wanted.length === 0 ? undefined : new OrderReplay(wanted, exchange, known);
  const candles = new CandleCollection(timeframes);
  const replay = new Replay({
    exchange,
    timeUnit,
    singleTrades: survey.singleTrades,
    onCandle: (candle) => candles.put(candle),
    orders,
  });
  for (const [index, path] of paths.entries()) {
    replay.beginFile(survey.instruments[index] ?? new Set());
    await takeLines(path, (line) => replay.take(line));
  }
  replay.end();
  return { candles, orders: orders?.end() ?? [], summary: replay.summary };
}

async function totalSize(paths: readonly string[]): Promise<number> {
  let total = 0;
  for (const path of paths) {
    const file = await stat(path).catch((cause: unknown) => {
      throw new Failure(`${path}: there is no such file, or it may not be read`, { cause });
    });
    if (file.isDirectory()) throw new Failure(`${path} is a directory: name the files in it`);
    if (!file.isFile()) {
      throw new Failure(`${path} is not a file: a capture is read twice, which a pipe cannot be`);
    }
    total += file.size;
  }
  return total;
}
