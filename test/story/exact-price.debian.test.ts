import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, test } from 'vitest';
import { PriceService } from '../../gen/tradewind/market/v1/price_service_pb.ts';
import { repeat, systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { readServerConfig } from '../../src/server/config.ts';
import { startServer } from '../../src/server/start-server.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis-process.ts';
import { runToEnd } from '../support/run-program.ts';
import { TwinExchange } from '../support/twin-exchange.ts';
import { TwinKraken } from '../support/twin-kraken.ts';

// Kraken writes its prices as JSON numbers; a float has not got as many digits.
const price = '105944.123456789012345';
const statistics = ['first', 'last', 'highest', 'lowest', 'average', 'volume_weighted_average'];

/** A server that follows Kraken, where nothing else is traded than at this price. */
async function aServerOfKraken(redisUrl: string) {
  await using resources = new AsyncDisposableStack();
  const exchange = resources.use(await TwinExchange.open());
  const kraken = new TwinKraken(exchange);
  const trade = () => kraken.trade(systemClock.now(), 1, { price, quantity: '0.3' });
  trade();
  resources.use(repeat(systemClock, 200, trade));
  const config = readServerConfig({
    PORT: '0',
    MODE: 'LIVE',
    BINANCE_SYMBOLS: '',
    KRAKEN_SYMBOLS: 'BTC/USD',
    KRAKEN_WEBSOCKET_BASE_URL: exchange.webSocketBaseUrl,
    KRAKEN_REST_BASE_URL: exchange.restBaseUrl,
    REDIS_URL: redisUrl,
    SHUTDOWN_GRACE_MS: '1000',
  });
  const surroundings = { clock: systemClock, logger: silentLogger };
  const { url } = resources.use(await startServer(config, surroundings));
  const prices = createClient(PriceService, createGrpcTransport({ baseUrl: url }));
  // More than one, so that averages have something to divide.
  await eventually(async () => {
    const answer = await prices.getPriceStatistics({ symbol: 'BTCUSD' });
    expect(answer.statistics?.tradeCount).toBeGreaterThan(10n);
  });
  const owned = resources.move();
  return { url, prices, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test('a Kraken price that a float would change is unchanged in every answer', async () => {
  expect(String(Number(price))).not.toBe(price);
  await using redis = await startRedis();
  await using server = await aServerOfKraken(redis.url);
  const { url, prices } = server;

  expect(await prices.getLatestPrice({ symbol: 'BTCUSD' })).toMatchObject({ price });
  for (const statistic of statistics) {
    const answer = await prices.getPriceStatistics({ symbol: 'BTCUSD', statistic });
    expect(answer.price, statistic).toBe(price);
  }
  const all = { first: price, last: price, highest: price, lowest: price, average: price };
  const whole = { ...all, volumeWeightedAverage: price, change: '0' };
  const { symbols } = await prices.listPriceStatistics({});
  expect(symbols).toMatchObject([{ overall: whole, exchanges: [whole] }]);

  const json = async (path: string) => (await fetch(url + path)).json();
  for (const path of ['latest', 'highest', 'lowest', 'average'])
    expect(await json(`/prices/${path}/kraken/BTCUSD`), path).toMatchObject({ price });
  expect(await json('/v1/prices/statistics/BTCUSD')).toMatchObject({ price, statistics: whole });

  for await (const { event } of prices.streamLatestPrices({})) {
    expect(event).toMatchObject({ case: 'latestPrice', value: { price } });
    break;
  }
  const events = await fetch(`${url}/v1/prices:stream`, {
    headers: { accept: 'text/event-stream' },
  });
  for await (const chunk of events.body ?? []) {
    expect(Buffer.from(chunk).toString()).toContain(`"price":"${price}"`);
    break;
  }

  await eventually(async () => {
    expect(await redis.ask('HGET', 'tradewind:1:price:kraken:BTCUSD', 'price')).toBe(price);
  });
  const { stdout } = await runToEnd('cli', ['price', 'BTCUSD', '--server', url]);
  const lines = stdout.replaceAll(/ +/gu, ' ').split('\n');
  expect(lines[0]).toMatch(new RegExp(`^BTCUSD ${price.replace('.', '\\.')} on kraken`, 'u'));
  expect(lines.slice(2, 8)).toEqual([
    ` first ${price}`,
    ` last ${price}`,
    ` highest ${price}`,
    ` lowest ${price}`,
    ` average ${price}`,
    ` weighted by volume ${price}`,
  ]);
});

test('a server without a feed answers what another one has left in Redis, to the last digit', async () => {
  await using redis = await startRedis();
  await using server = await aServerOfKraken(redis.url);
  await eventually(async () => {
    expect(await redis.ask('HGET', 'tradewind:1:price:kraken:BTCUSD', 'price')).toBe(price);
  });
  const config = readServerConfig({
    PORT: '0',
    MODE: 'LIVE',
    BINANCE_SYMBOLS: '',
    KRAKEN_SYMBOLS: 'BTC/USD',
    KRAKEN_WEBSOCKET_BASE_URL: 'ws://127.0.0.1:1',
    KRAKEN_REST_BASE_URL: 'http://127.0.0.1:1',
    REDIS_URL: redis.url,
    SHUTDOWN_GRACE_MS: '1000',
  });
  await using deaf = await startServer(config, { clock: systemClock, logger: silentLogger });
  expect(deaf.url).not.toBe(server.url);
  const prices = createClient(PriceService, createGrpcTransport({ baseUrl: deaf.url }));
  await eventually(async () => {
    const latest = await prices.getLatestPrice({ symbol: 'BTCUSD' });
    expect(latest).toMatchObject({ price, cached: true });
  });
});
