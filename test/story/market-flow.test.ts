import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { readServerConfig } from '../../src/server/config.ts';
import { startServer } from '../../src/server/start-server.ts';
import type { RunningServer } from '../../src/server/start-server.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import type { RunningSimulator } from '../../src/simulator/start-simulator.ts';
import { readDocument } from '../documents/document.ts';
import { eventually } from '../support/eventually.ts';
import { runTool } from '../support/run-tool.ts';
import { TwinClock } from '../support/twin-clock.ts';
import { TwinJsonLines } from '../support/twin-json-lines.ts';
import { hasCurl } from '../support/has-curl.ts';

// What MarketFlow's README prints, asked by curl, of a server whose simulated exchanges tell nothing but
// what is injected. Their time stands still, so that no window moves on while it is read.

const noon = Date.UTC(2026, 10, 20, 12, 15, 7, 500) * 1000;

const clock = new TwinClock(noon);
let simulator: RunningSimulator;
let live: TwinJsonLines;
let server: RunningServer;
const resources = new AsyncDisposableStack();

beforeAll(async () => {
  if (!hasCurl) return;
  const surroundings = { clock, logger: silentLogger };
  const simulated = { SIMULATOR_PORT: '0', SIMULATOR_EXCHANGE_RATE: '0' };
  simulator = resources.use(await startSimulator(readSimulatorConfig(simulated, {}), surroundings));
  live = resources.use(await TwinJsonLines.open());
  const environment = {
    MODE: 'TEST',
    PORT: '0',
    SIMULATOR_URL: simulator.url,
    SIMULATOR_EXCHANGE_PORTS: simulator.exchangePorts.slice(0, 2).join(' '),
    EXCHANGE1_PORT: String(live.port),
    EXCHANGE1_NAME: 'exchange1',
    EXCHANGE_SYMBOLS: 'BTCUSDT',
    SHUTDOWN_GRACE_MS: '100',
  };
  server = resources.use(await startServer(readServerConfig(environment), surroundings));
  await untilFollowed();
  for (const [exchange, price, agoMs] of documentedPrices()) await inject(exchange, price, agoMs);
  await eventually(async () => {
    const { json } = await curl(`${server.url}/prices/average/BTCUSDT?period=5m`);
    return (json as { price?: string }).price === '350';
  });
});
afterAll(() => resources[Symbol.asyncDispose]());

/** Runs curl as a user does. */
async function curl(...args: readonly string[]): Promise<{ status: number; json: unknown }> {
  const { stdout } = await runTool('curl', ['-sS', '-w', '\n%{http_code}', ...args]);
  const [, text = '', status] = /^([\s\S]*)\n(\d{3})$/u.exec(stdout) ?? [];
  return { status: Number(status), json: JSON.parse(text) };
}

async function priceAt(path: string): Promise<unknown> {
  const { status, json } = await curl(server.url + path);
  expect(status, JSON.stringify(json)).toBe(200);
  return json;
}

/** Until the simulated exchanges have somebody to tell their prices to. */
const untilFollowed = () =>
  eventually(async () => {
    const { json } = await curl(`${simulator.url}/control`);
    const { exchanges } = json as { exchanges: Record<string, { connections: number }> };
    return [exchanges['exchange1'], exchanges['exchange2']].every(
      (exchange) => exchange?.connections === 1,
    );
  });

/** The four that docs/simulator.md prints, whose statistics all differ. */
function documentedPrices(): readonly (readonly [string, string, number])[] {
  const found = [...readDocument('docs/simulator.md').text.matchAll(/inject (\w+) (\d+) (\d+)/gu)];
  expect(found).toHaveLength(4);
  return found.map(([, exchange = '', price = '', agoMs]) => [exchange, price, Number(agoMs)]);
}

async function inject(exchange: string, price: string, agoMs: number): Promise<void> {
  const body = JSON.stringify({ action: 'inject', exchange, symbol: 'BTCUSDT', price, agoMs });
  const { status, json } = await curl(`${simulator.url}/control`, '-d', body);
  expect([status, json]).toEqual([200, expect.objectContaining({ delivered: 1 })]);
}

/** Of each exchange and period the highest, the lowest and the average price. */
const numbers = {
  'no exchange': {
    '5s': ['500', '200', '350'],
    '1m': ['500', '200', '333.333333333333333333'],
    '5m': ['500', '200', '350'],
  },
  exchange1: {
    '5s': ['200', '200', '200'],
    '1m': ['300', '200', '250'],
    '5m': ['400', '200', '300'],
  },
  exchange2: {
    '5s': ['500', '500', '500'],
    '1m': ['500', '500', '500'],
    '5m': ['500', '500', '500'],
  },
} as const;

const cases = Object.entries(numbers).flatMap(([exchange, periods]) => {
  const place = exchange === 'no exchange' ? '' : `${exchange}/`;
  const ofPeriods = [...Object.entries(periods), ['', periods['1m']] as const];
  return ofPeriods.flatMap(([period, prices]) =>
    (['highest', 'lowest', 'average'] as const).map((statistic, index) => {
      const query = period === '' ? '' : `?period=${period}`;
      return [`/prices/${statistic}/${place}BTCUSDT${query}`, prices[index]] as const;
    }),
  );
});

describe.skipIf(!hasCurl)('MarketFlow’s users ask by curl for', () => {
  test.each([
    ['/prices/latest/BTCUSDT', 'sim-exchange2', '500'],
    ['/prices/latest/exchange1/BTCUSDT', 'sim-exchange1', '200'],
    ['/prices/latest/exchange2/BTCUSDT', 'sim-exchange2', '500'],
  ])('GET %s: it is that of %s, %s', async (path, exchange, price) => {
    const timestamp = '2026-11-20T12:15:06.500Z';
    expect(await priceAt(path)).toMatchObject({ exchange, symbol: 'BTCUSDT', price, timestamp });
  });

  test.each(cases)('GET %s: it is %s', async (path, price) => {
    expect(await priceAt(path)).toMatchObject({ symbol: 'BTCUSDT', price });
  });

  test('the live exchanges and back: neither is mixed with the other', async () => {
    const switched = async (mode: string) =>
      (await curl('-X', 'POST', `${server.url}/mode/${mode}`)).json;
    expect(await switched('live')).toMatchObject({ mode: 'MODE_LIVE', changed: true });
    await eventually(() => live.sockets.size === 1);
    live.line({ price: '700.10', timestamp: noon / 1000 });
    await eventually(async () =>
      expect(await priceAt('/prices/latest/BTCUSDT')).toMatchObject({
        exchange: 'exchange1',
        price: '700.1',
      }),
    );
    expect(await priceAt('/prices/lowest/exchange1/BTCUSDT?period=5m')).toMatchObject({
      exchange: 'exchange1',
      price: '700.1',
    });

    expect(await switched('test')).toMatchObject({ mode: 'MODE_TEST', changed: true });
    expect(await switched('test')).toMatchObject({ mode: 'MODE_TEST', changed: false });
    await untilFollowed();
    for (const [path, price] of cases) expect(await priceAt(path), path).toMatchObject({ price });
    await clock.advance(1000);
    await inject('exchange1', '600', 0);
    await eventually(async () =>
      expect(await priceAt('/prices/latest/BTCUSDT')).toMatchObject({
        exchange: 'sim-exchange1',
        price: '600',
      }),
    );
  });

  test('GET /health: it is 200, with every feed and the mode', async () => {
    await eventually(async () => {
      // What it tells may be 2 s old, and a price proves that nothing was missed.
      await clock.advance(2000, 500);
      for (const exchange of ['exchange1', 'exchange2']) await inject(exchange, '600', 0);
      const health = await curl(`${server.url}/health`);
      expect(health).toMatchObject({
        status: 200,
        json: {
          status: 'ok',
          mode: 'MODE_TEST',
          feeds: [
            { exchange: 'sim-exchange1', status: 'ok' },
            { exchange: 'sim-exchange2', status: 'ok' },
          ],
          postgres: { status: 'off' },
          redis: { status: 'off' },
        },
      });
    });
  });
});
