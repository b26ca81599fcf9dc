import { Code, ConnectError } from '@connectrpc/connect';
import { backoffDelayMs } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import type { Clock, Micros } from '../base/clock.ts';
import type { Candle } from '../domain/candle.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { readLiveStream } from '../rpc/client.ts';
import type { MarketClient } from '../rpc/client.ts';
import { candleFromMessage, timeframeToMessage } from '../rpc/messages.ts';
import { listCandles } from './list-candles.ts';

/** Somebody watches: the first tries come quickly, and a server is never asked more than this. */
const backoff = { minimumMs: 250, maximumMs: 5_000 };

/** Of what closed while the server was away: half a day of seconds; the latest ones, beyond. */
const mostListed = 50_000;

export type FollowOptions = {
  readonly market: MarketClient;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly instrument: string;
  readonly timeframe: Timeframe;
  readonly includeOpen: boolean;
  /** Where to begin: the cursor of a list; undefined: list first. */
  readonly resumeAfter: string | undefined;
  /** Where a list is to begin now. */
  readonly listFrom: () => Micros;
};

export type FollowEvent =
  /** A candle; isRepeat: perhaps it came before. */
  | { readonly type: 'candle'; readonly candle: Candle; readonly isRepeat: boolean }
  /** The server went away; the next try is in `delayMs`. */
  | { readonly type: 'interrupted'; readonly reason: string; readonly delayMs: number }
  /** It is back. */
  | { readonly type: 'resumed' }
  /** It had forgotten where we were: what closed since `listFrom`. */
  | { readonly type: 'listed'; readonly candles: readonly Candle[] }
  /** As listed, but it cannot list now (its store is away): what closes from now on follows. */
  | { readonly type: 'unlisted'; readonly reason: string };

/**
 * Follows candles until the signal is aborted, through any number of interruptions.
 * @throws ConnectError when the server refuses the request itself
 */
export async function* followCandles(options: FollowOptions): AsyncGenerator<FollowEvent> {
  const { clock, signal } = options;
  let { resumeAfter } = options;
  let failures = 0;
  while (!signal.aborted) {
    const mustList = resumeAfter === undefined;
    try {
      const list = mustList ? await listAgain(options) : undefined;
      if (list !== undefined && failures > 0) yield { type: 'resumed' };
      if (list !== undefined) yield list.event;
      let isNew = list === undefined;
      for await (const response of stream(options, resumeAfter ?? list?.cursor)) {
        if (isNew && failures > 0) yield { type: 'resumed' };
        isNew = false;
        failures = 0;
        if (response.cursor !== '') resumeAfter = response.cursor;
        if (response.event.case !== 'candle') continue;
        const candle = candleFromMessage(response.event.value);
        yield { type: 'candle', candle, isRepeat: response.repeat };
      }
    } catch (error) {
      if (signal.aborted) return;
      const { code, rawMessage: reason } = ConnectError.from(error);
      if (code === Code.OutOfRange) resumeAfter = undefined;
      // Listing brings us further, but once: a list that it forgets at once is a failure.
      if (code === Code.OutOfRange && !mustList) continue;
      if (isRefusal(code)) throw error;
      const delayMs = backoffDelayMs(failures++, backoff);
      yield { type: 'interrupted', reason, delayMs };
      // Rejects only when the signal is aborted, which the loop sees.
      await sleep(clock, delayMs, signal).catch(() => {});
    }
  }
}

/** @throws ConnectError when the server is not there, or refuses */
async function listAgain({ market, instrument, timeframe, listFrom }: FollowOptions) {
  const range = { instrument, timeframe, limit: mostListed, startTime: listFrom() };
  try {
    const { candles, cursor } = await listCandles(market, range);
    const event: FollowEvent = { type: 'listed', candles };
    return { event, cursor };
  } catch (error) {
    if (!isAnsweredUnavailable(error)) throw error;
    const event: FollowEvent = { type: 'unlisted', reason: ConnectError.from(error).rawMessage };
    return { event, cursor: undefined };
  }
}

/** Whether it is the server that says so, and not that there is none. */
export function isAnsweredUnavailable(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unavailable && error.isWireError;
}

/** One connection's part of the stream; a silent one is given up. */
function stream(options: FollowOptions, resumeAfter: string | undefined) {
  const { market, clock, signal, instrument, timeframe, includeOpen } = options;
  const selections = [{ instrument, timeframe: timeframeToMessage(timeframe) }];
  const from = resumeAfter === undefined ? {} : { resumeAfter };
  return readLiveStream(
    (signal) => market.streamCandles({ selections, includeOpen, ...from }, { signal }),
    { clock, signal },
  );
}

/** Codes that would come again: the request is wrong, or we may not ask. */
export function isRefusal(code: Code): boolean {
  return [
    Code.InvalidArgument,
    Code.NotFound,
    Code.PermissionDenied,
    Code.Unauthenticated,
    Code.Unimplemented,
    Code.FailedPrecondition,
  ].includes(code);
}
