import type { MarketClient } from '../rpc/client.ts';
import { candleFromMessage, timeframeToMessage, timestampOf } from '../rpc/messages.ts';
import type { Micros } from '../base/clock.ts';
import type { Candle } from '../domain/candle.ts';
import type { Timeframe } from '../domain/timeframe.ts';

/** The largest page the server gives. */
const pageSize = 1000;
/** A page is answered within milliseconds; a server that needs this long is not well. */
export const requestTimeoutMs = 10_000;

export type CandleList = {
  /** The latest closed candles, the earliest first. */
  readonly candles: readonly Candle[];
  /** Streaming from here continues the list without a loss. */
  readonly cursor: string;
};

export type CandleRange = {
  readonly instrument: string;
  readonly timeframe: Timeframe;
  /** The latest ones, at least 1. */
  readonly limit: number;
  /** None that opens before this. */
  readonly startTime?: Micros;
};

/** Lists closed candles. @throws ConnectError */
export async function listCandles(
  market: MarketClient,
  { instrument, timeframe, limit, startTime }: CandleRange,
): Promise<CandleList> {
  const candles: Candle[] = [];
  let cursor: string | undefined;
  let pageToken = '';
  do {
    const page = await market.listCandles(
      {
        instrument,
        timeframe: timeframeToMessage(timeframe),
        pageSize: Math.min(limit - candles.length, pageSize),
        pageToken,
        newestFirst: true,
        ...(startTime === undefined ? {} : { startTime: timestampOf(startTime) }),
      },
      { timeoutMs: requestTimeoutMs },
    );
    // The first page's cursor: what closes while the others are read comes again in the stream.
    cursor ??= page.cursor;
    candles.push(...page.candles.map(candleFromMessage));
    pageToken = page.nextPageToken;
  } while (pageToken !== '' && candles.length < limit);
  return { candles: candles.slice(0, limit).toReversed(), cursor };
}
