import { expect, test } from 'vitest';
import { Market } from '../../src/market/market.ts';
import { aBookTicker, noon } from '../support/builders.ts';

const instrument = 'binance:BTCUSDT';

test('who asks after a connection was opened or lost is told of what holds by then', () => {
  const told: unknown[] = [];
  const market = new Market({
    run: noon,
    publish: () => {},
    onConnections: () => told.push([market.outageOf(instrument), market.bookTicker(instrument)]),
  });
  const connection = { connection: 'one', receivedTime: noon };
  market.handle({ ...connection, type: 'connectionOpened', instruments: [instrument] });
  const ticker = aBookTicker({ instrument });
  market.handle(ticker);
  market.handle({ ...connection, type: 'connectionLost', reason: 'The line was cut' });
  // Its tickers may begin anew.
  market.handle({ ...connection, type: 'connectionOpened', instruments: [instrument] });
  expect(told).toEqual([
    [undefined, undefined],
    ['The line was cut', ticker],
    [undefined, undefined],
  ]);
});
