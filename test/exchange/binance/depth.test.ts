import { createServer } from 'node:http';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { parseDecimal } from '../../../src/base/decimal.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { binance } from '../../../src/exchange/binance.ts';
import { openFeed } from '../../../src/exchange/feed.ts';
import type { RestError } from '../../../src/exchange/rest-error.ts';

const { signal } = new AbortController();

/** Asks for the best bid and ask of BTCUSDT where the exchange answers this. */
async function askWith(answer: unknown) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
  await using feed = openFeed({
    exchange: binance,
    exchangeName: 'sim-binance',
    symbols: [],
    handle: () => {},
    random: () => 0,
    settings: { webSocketBaseUrl: url.replace('http', 'ws'), restBaseUrl: url, restAttempts: 1 },
    clock: systemClock,
    logger: silentLogger,
  });
  return { asked, ticker: await feed.rest.bookTicker?.('BTCUSDT', signal) };
}

test('the order book’s top is a book ticker under the id that the stream’s tickers count on', async () => {
  const { asked, ticker } = await askWith({
    lastUpdateId: 1_027_024,
    bids: [['4.00000000', '431.00000000']],
    asks: [['4.00000200', '12.00000000']],
  });
  expect(asked).toEqual(['/api/v3/depth?symbol=BTCUSDT&limit=1']);
  expect(ticker).toMatchObject({
    type: 'bookTicker',
    instrument: 'sim-binance:BTCUSDT',
    updateId: 1_027_024,
    bidPrice: parseDecimal('4'),
    bidQuantity: parseDecimal('431'),
    askPrice: parseDecimal('4.000002'),
    askQuantity: parseDecimal('12'),
  });
});

test('a side without levels displays nothing', async () => {
  const { ticker } = await askWith({ lastUpdateId: 1, bids: [], asks: [['2', '1']] });
  expect(ticker).toMatchObject({ bidPrice: 0n, bidQuantity: 0n, askPrice: parseDecimal('2') });
});

test.each([
  ['no update id', { bids: [], asks: [] }],
  ['no list', { lastUpdateId: 1, bids: {}, asks: [] }],
  ['a level that is none', { lastUpdateId: 1, bids: [4], asks: [] }],
  ['a price of the wrong kind', { lastUpdateId: 1, bids: [[4, '1']], asks: [] }],
  ['a negative quantity', { lastUpdateId: 1, bids: [['4', '-1']], asks: [] }],
  ['something else', [1]],
])('an answer with %s is no answer', async (_, answer) => {
  const failed: Partial<RestError> = { name: 'RestError', kind: 'failed' };
  await expect(askWith(answer)).rejects.toMatchObject(failed);
});
