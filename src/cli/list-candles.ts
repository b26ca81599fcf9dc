import type { MarketClient } from '../rpc/client.ts';
import { candleFromMessage, timeframeToMessage } from '../rpc/messages.ts';
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

/** Lists the latest `limit` (at least 1) closed candles. @throws ConnectError */
export async function listCandles(
  market: MarketClient,
  instrument: string,
  timeframe: Timeframe,
  limit: number,
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
