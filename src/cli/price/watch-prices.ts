import { ConnectError } from '@connectrpc/connect';
import type { LatestPrice } from '../../../gen/tradewind/market/v1/price_service_pb.ts';
import { backoffDelayMs } from '../../base/backoff.ts';
import { repeat, sleep, systemClock } from '../../base/clock.ts';
import type { Environment } from '../../base/env.ts';
import { readLiveStream } from '../../rpc/client.ts';
import type { PriceClient } from '../../rpc/client.ts';
import { isRefusal } from '../follow-candles.ts';
import { writeLines } from '../write-lines.ts';
import { PriceBoard } from './price-board.ts';
import { timeOf } from '../rfc3339.ts';
import { latestToJson } from './price-lines.ts';
import { stopOnRequest } from '../stop-on-request.ts';

/** Somebody watches: the first tries come quickly, and a server is never asked more than this. */
const backoff = { minimumMs: 250, maximumMs: 5_000 };
/** More often than this nobody sees anything change. */
const drawMs = 100;

export type PriceWish = { readonly exchange: string; readonly format: 'table' | 'json' };

/**
 * Follows all prices until Ctrl-C, through any number of interruptions.
 * @throws ConnectError when the server refuses the request itself
 */
export async function watchPrices(
  client: PriceClient,
  { exchange, format }: PriceWish,
  environment: Environment,
): Promise<void> {
  using stop = stopOnRequest(environment);
  const { signal } = stop;
  const board = process.stdout.isTTY && format === 'table' ? new PriceBoard(process.stdout) : null;
  let isChanged = false;
  let hasBegun = false;
  using _draw = repeat(systemClock, drawMs, () => {
    if (isChanged) board?.draw();
    isChanged = false;
  });
  for (let failures = 0; !signal.aborted;) {
    try {
      const stream = readLiveStream(
        (signal) => client.streamLatestPrices({ exchange }, { signal }),
        { clock: systemClock, signal },
      );
      for await (const { event } of stream) {
        failures = 0;
        hasBegun = true;
        if (event.case === 'instrumentsChanged') {
          isChanged = true;
          board?.keep(event.value.instruments);
        }
        if (event.case !== 'latestPrice') continue;
        isChanged = true;
        if (board === null) await writeLines(process.stdout, [lineOf(event.value, format)]);
        else board.set(event.value);
      }
    } catch (error) {
      if (signal.aborted) break;
      const { code, rawMessage } = ConnectError.from(error);
      // A server that was not there in the first place is told like everywhere.
      if (isRefusal(code) || !hasBegun) throw error;
      const delayMs = backoffDelayMs(failures++, backoff);
      board?.leave();
      console.error(`${rawMessage}; connecting again in ${(delayMs / 1000).toFixed(1)} s`);
      // Rejects only when the signal is aborted, which the loop sees.
      await sleep(systemClock, delayMs, signal).catch(() => {});
    }
  }
  board?.draw();
}

function lineOf(price: LatestPrice, format: PriceWish['format']): string {
  if (format === 'json') return latestToJson(price);
  return `${timeOf(price.timestamp)} ${price.exchange} ${price.symbol} ${price.price}`;
}
