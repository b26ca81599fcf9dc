import { Code, ConnectError } from '@connectrpc/connect';
import { backoffDelayMs } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Candle } from '../domain/candle.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { MarketClient } from '../rpc/client.ts';
import { candleFromMessage, timeframeToMessage } from '../rpc/messages.ts';

/** Somebody watches: the first tries come quickly, and a server is never asked more than this. */
const backoff = { minimumMs: 250, maximumMs: 5_000 };

/** The server sends a heartbeat every 15 seconds at least; three missed ones mean it is gone. */
const silenceTimeoutMs = 45_000;

export type FollowOptions = {
  readonly market: MarketClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly instrument: string;
  readonly timeframe: Timeframe;
  readonly includeOpen: boolean;
  /** Where to begin: the cursor of a list. */
  readonly resumeAfter: string;
};

export type FollowEvent =
  /** A candle; isRepeat: perhaps it came before. */
  | { readonly type: 'candle'; readonly candle: Candle; readonly isRepeat: boolean }
  /** The server went away; the next try is in `delayMs`. */
  | { readonly type: 'interrupted'; readonly reason: string; readonly delayMs: number }
  /** It is back, and the stream goes on where it ended. */
  | { readonly type: 'resumed' }
  /** It is back but has forgotten where we were: list again, and follow from there. */
  | { readonly type: 'outOfRange' };

/**
 * Follows candles until the signal is aborted, through any number of interruptions.
 * @throws ConnectError when the server refuses the request itself
 */
export async function* followCandles(options: FollowOptions): AsyncGenerator<FollowEvent> {
  const { clock, signal } = options;
  let resumeAfter = options.resumeAfter;
  let failures = 0;
  while (!signal.aborted) {
    try {
      for await (const response of stream(options, resumeAfter)) {
        if (failures > 0) yield { type: 'resumed' };
        failures = 0;
        if (response.cursor !== '') resumeAfter = response.cursor;
        if (response.event.case !== 'candle') continue;
        const candle = candleFromMessage(response.event.value);
        yield { type: 'candle', candle, isRepeat: response.repeat };
      }
    } catch (error) {
      if (signal.aborted) return;
      const { code } = ConnectError.from(error);
      if (code === Code.OutOfRange) {
        yield { type: 'outOfRange' };
        return;
      }
      if (isRefusal(code)) throw error;
      const delayMs = backoffDelayMs(failures++, backoff);
      yield { type: 'interrupted', reason: ConnectError.from(error).rawMessage, delayMs };
      // Rejects only when the signal is aborted, which the loop sees.
      await sleep(clock, delayMs, signal).catch(() => {});
    }
  }
}

/** One connection's part of the stream; a silent one is given up. */
async function* stream(options: FollowOptions, resumeAfter: string) {
  const { market, clock, signal, instrument, timeframe, includeOpen } = options;
  const silence = new AbortController();
  const watch = () => clock.setTimer(silenceTimeoutMs, () => silence.abort());
  let timer = watch();
  try {
    const selections = [{ instrument, timeframe: timeframeToMessage(timeframe) }];
    const responses = market.streamCandles(
      { selections, includeOpen, resumeAfter },
      { signal: AbortSignal.any([signal, silence.signal]) },
    );
    for await (const response of responses) {
      timer[Symbol.dispose]();
      timer = watch();
      yield response;
    }
  } finally {
    timer[Symbol.dispose]();
  }
  // A server that ends a stream says why; one that does not is gone.
  throw new ConnectError('The stream ended', Code.Unavailable);
}

/** Codes that would come again: the request is wrong, or we may not ask. */
function isRefusal(code: Code): boolean {
  return [
    Code.InvalidArgument,
    Code.NotFound,
    Code.PermissionDenied,
    Code.Unauthenticated,
    Code.Unimplemented,
    Code.FailedPrecondition,
  ].includes(code);
}
