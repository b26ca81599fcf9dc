import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { timeframes } from '../../src/domain/timeframe.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { openDatabase } from '../../src/store/database.ts';
import { openEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { randomOf } from '../support/random-of.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { KilledPostgres, KilledProgram } from './killed-programs.ts';
import type { Victim } from './killed-programs.ts';
import { seed as simulatorSeed } from './line.ts';
import { expectKlinesStored, storedCandles } from './stored-klines.ts';

const kills = Number(process.env['KILLS'] ?? 12);
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const symbols = ['BTCUSDT', 'LTCBTC'];
const surroundings = { clock: systemClock, logger: silentLogger };

/** What the exchange does wrong meanwhile. */
const faults = [
  { action: 'drop', oneIn: 100 },
  { action: 'duplicate', oneIn: 20 },
  { action: 'delay', stream: 'aggTrade', oneIn: 50, delayMs: 700 },
];

test('whoever is killed or frozen when, at the end each kline has its one row, whole and equal', async () => {
  console.log(`kills: ${kills}, SEED=${seed}`);
  const random = randomOf(seed);
  await using stack = new AsyncDisposableStack();
  const simulatorConfig = readSimulatorConfig(
    { SIMULATOR_PORT: '0', SIMULATOR_REQUEST_WEIGHT: '100000000' },
    {},
  );
  const simulator = stack.use(
    await startSimulator({ ...simulatorConfig, seed: simulatorSeed }, surroundings),
  );
  const directory = temporaryDirectory();
  const cluster = await openEmbeddedPostgres({ directory, ...surroundings });
  await migrate({ url: cluster.url, direction: 'up', logger: silentLogger });
  const postgres = stack.use(new KilledPostgres(directory, cluster));
  const port = String(await freePort());
  const server = stack.use(
    new KilledProgram('server', {
      PORT: port,
      MODE: 'TEST',
      SIMULATOR_URL: simulator.url,
      BINANCE_SYMBOLS: symbols.join(' '),
      DATABASE_URL: cluster.url,
      HISTORY_CANDLES: '20',
    }),
  );
  const persistor = stack.use(
    new KilledProgram('persistor', {
      SERVER_ADDRESS: `127.0.0.1:${port}`,
      DATABASE_URL: cluster.url,
    }),
  );
  const database = stack.use(openDatabase({ url: cluster.url, program: 'test', ...surroundings }));
  await pause(3_000);

  const control = async (action: Readonly<Record<string, unknown>>) => {
    const body = JSON.stringify(action);
    const response = await fetch(`${simulator.url}/control`, { method: 'POST', body });
    expect(response.status, await response.text()).toBe(200);
  };
  for (const fault of faults) await control(fault);
  const victims: readonly Victim[] = [server, persistor, postgres];
  for (let count = 0; count < kills; count++) {
    await pause(200 + random() * 1_800);
    await victims[Math.floor(random() * victims.length)]?.kill();
    // A frozen program wakes to a feed that went on, and to timers that are all due.
    if (count % 4 === 3)
      await (random() < 0.5 ? server : persistor).freeze(1_000 + random() * 2_000);
    if (count % 5 === 4) await control({ action: 'cut', how: 'midFrame' });
  }
  await control({ action: 'clear' });

  const end = Math.floor(systemClock.now() / 1e6) * 1e6;
  const everything = { from: 0, to: Number.MAX_SAFE_INTEGER };
  for (const symbol of symbols) {
    await eventually(async () => {
      for (const timeframe of timeframes) {
        const rows = await storedCandles(database, symbol, timeframe, everything);
        expect(rows.length, timeframe).toBeGreaterThan(0);
        const broken = rows.filter(({ isComplete, isPartial }) => !isComplete || isPartial);
        expect(broken, timeframe).toEqual([]);
        if (timeframe === '1s') expect(rows.at(-1)?.closeTime).toBeGreaterThanOrEqual(end);
      }
    }, 120_000);
    await expectKlinesStored(database, symbol, end);
  }
}, 1_800_000);
