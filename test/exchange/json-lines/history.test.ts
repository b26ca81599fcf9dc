import { expect, test } from 'vitest';
import { jsonLinesRest } from '../../../src/exchange/json-lines/rest.ts';
import { readHistory } from '../../../src/exchange/read-history.ts';
import { Market } from '../../../src/market/market.ts';
import type { MarketUpdate } from '../../../src/market/market-update.ts';
import { aCandle } from '../../support/a-candle.ts';
import { aTrade, noon } from '../../support/builders.ts';
import { inShort } from '../../support/market-tape.ts';
import { TwinClock } from '../../support/twin-clock.ts';

const instrument = 'exchange1:BTCUSDT';
const minute = 60_000_000;

test('after a restart what is stored is known again, and nobody is asked for the rest', async () => {
  const clock = new TwinClock(noon);
  const updates: MarketUpdate[] = [];
  const market = new Market({ run: 2, publish: (update) => updates.push(update) });
  const stored = [2, 1].map((ago) =>
    aCandle({ instrument, price: '100', openTime: noon - (ago + 5) * minute, volume: 0n, run: 1 }),
  );
  const update = (ms: number, id: number) => {
    const time = noon + ms * 1000;
    market.handle(aTrade({ instrument, id, exchangeTime: time, quantity: '0', price: '110' }));
  };
  market.handle({
    type: 'connectionOpened',
    connection: '1',
    instruments: [instrument],
    receivedTime: noon,
  });
  update(0, 1);
  await readHistory(
    {
      rest: jsonLinesRest,
      stored: { newest: async (_, timeframe) => (timeframe === '1m' ? stored.toReversed() : []) },
      handle: (event) => market.handle(event),
      clock,
      exchangeTime: () => noon,
      bounds: { historyCandles: 10, horizonMs: 86_400_000, tradesHorizonMs: 7_200_000 },
    },
    instrument,
    undefined,
    new AbortController().signal,
  );
  expect(market.closedCandle(instrument, '1m', noon - 6 * minute)).toMatchObject({ run: 1 });
  for (const [index, ms] of [500, 60_600].entries()) update(ms, index + 2);
  const closed = updates.flatMap((each) => (each.type === 'candle' ? [each.candle] : []));
  // Of the time without a server there is neither a candle nor a flat one.
  expect(
    closed.filter(({ timeframe, isClosed }) => timeframe === '1m' && isClosed).map(inShort),
  ).toEqual(['0 110/110/110/110 n=2 r1 P']);
});

test('whoever asks all the same is refused', async () => {
  const { signal } = new AbortController();
  await expect(jsonLinesRest.lastTrade('BTCUSDT', signal)).rejects.toMatchObject({
    name: 'RestError',
    kind: 'refused',
  });
});
