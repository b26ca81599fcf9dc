import fc from 'fast-check';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { splitInstrumentName } from '../../src/domain/instrument.ts';
import { Market } from '../../src/market/market.ts';
import { PriceBook } from '../../src/market/price-book.ts';
import { CandleReader, CandleWriter } from '../../src/store/candle/candle-store.ts';
import { CandlePartitions } from '../../src/store/candle/partitions.ts';
import { openTestDatabase } from '../support/postgres.ts';
import { priceScenarios } from './price-scenario.ts';
import { checkPrices } from './prices.ts';
import type { CandleShelf } from './prices.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const numRuns = process.env['CI'] === 'true' ? 200 : 20;

test('with what Postgres gives back they are the model’s, too', async () => {
  console.log(`stored prices: ${numRuns} cases, SEED=${seed}`);
  await using database = await openTestDatabase();
  const writer = new CandleWriter(database, new CandlePartitions(database, {}, silentLogger));
  const reader = new CandleReader(database);
  const shelf = (): CandleShelf => {
    let waiting: Candle[] = [];
    return {
      add: (candle) => void waiting.push(candle),
      settle: async () => {
        const candles = waiting;
        waiting = [];
        const { refused } = await writer.writeBatch({ candles, gaps: [] });
        expect(refused).toEqual([]);
      },
      stored: {
        newest: (instrument, timeframe, window) => {
          const { exchange = '', symbol } = splitInstrumentName(instrument);
          return reader.listCandles({ exchange, symbol, timeframe, ...window, newestFirst: true });
        },
      },
    };
  };
  let cases = 0;
  await fc.assert(
    fc.asyncProperty(priceScenarios, (scenario) =>
      checkPrices({ Market, PriceBook }, scenario, shelf(), `S${++cases}`),
    ),
    { seed, numRuns },
  );
});
