import { Code, ConnectError } from '@connectrpc/connect';
import type { StreamCandlesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { timeframes } from '../domain/timeframe.ts';
import { readLiveStream } from '../rpc/client.ts';
import type { MarketClient } from '../rpc/client.ts';
import { candleFromMessage, gapFromMessage, timeframeToMessage } from '../rpc/messages.ts';
import type { FollowCandles, StreamBatch } from './stream-batch.ts';
import { CursorTooOldError } from './stream-batch.ts';

/** All instruments in all timeframes. */
const selections = timeframes.map((timeframe) => ({ timeframe: timeframeToMessage(timeframe) }));

/** Follows the candles of a server over gRPC. */
export function followServer(market: MarketClient, clock: Clock, logger: Logger): FollowCandles {
  return async function* (resumeAfter, signal) {
    const from = resumeAfter === undefined ? { includeRetained: true } : { resumeAfter };
    const responses = readLiveStream(
      (signal) => market.streamCandles({ selections, ...from }, { signal }),
      { clock, signal },
    );
    let isSnapshot = true;
    try {
      for await (const response of responses) {
        if (response.event.case === 'snapshotEnd') isSnapshot = false;
        yield batchOf(response, isSnapshot, logger);
      }
    } catch (error) {
      // A cursor that was not written by such a server cannot be resumed at either.
      const isUnusable =
        error instanceof ConnectError &&
        (error.code === Code.OutOfRange || error.code === Code.InvalidArgument);
      if (isUnusable && resumeAfter !== undefined) throw new CursorTooOldError({ cause: error });
      throw error;
    }
  };
}

function batchOf(
  { event, cursor }: StreamCandlesResponse,
  isSnapshot: boolean,
  logger: Logger,
): StreamBatch {
  const place = isSnapshot ? undefined : cursor;
  try {
    if (event.case === 'candle') {
      return { candles: [candleFromMessage(event.value)], gaps: [], cursor: place };
    }
    if (event.case === 'gap') {
      return { candles: [], gaps: [gapFromMessage(event.value)], cursor: place };
    }
  } catch (error) {
    // A newer server may send what we cannot read; the rest must not wait for that.
    logger.error({ err: error, cursor }, 'Leaving out a message that cannot be read');
  }
  return { candles: [], gaps: [], cursor: place };
}
