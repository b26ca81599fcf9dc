import { Code, ConnectError } from '@connectrpc/connect';
import type { StreamCandlesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { timeframes } from '../domain/timeframe.ts';
import type { MarketClient } from '../rpc/client.ts';
import { candleFromMessage, gapFromMessage, timeframeToMessage } from '../rpc/messages.ts';
import type { FollowCandles, StreamBatch } from './stream-batch.ts';
import { CursorTooOldError } from './stream-batch.ts';

/** The server sends a heartbeat at least every 15 s: three of them are missing. */
const silenceTimeoutMs = 45_000;

/** All instruments in all timeframes. */
const selections = timeframes.map((timeframe) => ({ timeframe: timeframeToMessage(timeframe) }));

/** Follows the candles of a server over gRPC. */
export function followServer(market: MarketClient, clock: Clock, logger: Logger): FollowCandles {
  return async function* (resumeAfter, signal) {
    const silence = new AbortController();
    const responses = market.streamCandles(
      {
        selections,
        ...(resumeAfter === undefined ? { includeRetained: true } : { resumeAfter }),
      },
      { signal: AbortSignal.any([signal, silence.signal]) },
    );
    const iterator = responses[Symbol.asyncIterator]();
    let isSnapshot = true;
    try {
      for (;;) {
        // Only while we ask: a reader that makes the server wait is not a silent server.
        using _timer = clock.setTimer(silenceTimeoutMs, () => silence.abort());
        const { value, done } = await iterator.next();
        if (done === true) throw new Error('The server ended the stream');
        if (value.event.case === 'snapshotEnd') isSnapshot = false;
        yield batchOf(value, isSnapshot, logger);
      }
    } catch (error) {
      if (silence.signal.aborted) {
        throw new Error(`The server was silent for ${silenceTimeoutMs} ms`, { cause: error });
      }
      // A cursor that was not written by such a server cannot be resumed at either.
      const isUnusable =
        error instanceof ConnectError &&
        (error.code === Code.OutOfRange || error.code === Code.InvalidArgument);
      if (isUnusable && resumeAfter !== undefined) throw new CursorTooOldError({ cause: error });
      throw error;
    } finally {
      silence.abort();
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
