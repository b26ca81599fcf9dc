import type { BookTicker } from '../../domain/book-ticker.ts';
import { instrumentName } from '../../domain/instrument.ts';
import { expectFields, read } from '../answers.ts';
import { bookTickerOf, readBestLevel } from '../best-level.ts';
import type { RestOptions, RestQuestions } from '../exchange.ts';
import { readId } from '../fields.ts';

/** Of an answer of up to 100 levels. */
const depthWeight = 5;

/** Asks for the best bid and ask: rest-api.md, "Order book". */
export function createBinanceDepth({
  client,
  exchange,
}: RestOptions): Required<Pick<RestQuestions, 'bookTicker'>> {
  return {
    /**
     * `/api/v3/depth?symbol=BTCUSDT&limit=1`. `/api/v3/ticker/bookTicker` would be cheaper, but has no
     * update id; `lastUpdateId` counts what the stream's `u` counts.
     *
     *     {"lastUpdateId":1027024,"bids":[["4.00000000","431.00000000"]],"asks":[["4.00000200","12.00000000"]]}
     */
    async bookTicker(symbol: string, signal: AbortSignal): Promise<BookTicker> {
      const path = `/api/v3/depth?symbol=${encodeURIComponent(symbol)}&limit=1`;
      const { body } = await client.get({ path, weight: depthWeight, signal });
      const receivedTime = client.clock.now();
      return read(path, () => {
        const fields = expectFields(body);
        const updateId = readId(fields, 'lastUpdateId');
        const told = { instrument: instrumentName(exchange, symbol), updateId, receivedTime };
        return bookTickerOf(told, readBestLevel(fields['bids']), readBestLevel(fields['asks']));
      });
    },
  };
}
