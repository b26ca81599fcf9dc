import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { replayCaptures } from '../../src/replay/replay-captures.ts';
import { readServerConfig } from '../../src/server/config.ts';
import { startServer } from '../../src/server/start-server.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a server with a CAPTURE_DIR leaves what it received for the replay', async () => {
  const directory = join(temporaryDirectory(), 'captures');
  const surroundings = { clock: systemClock, logger: silentLogger };
  const simulatorConfig = readSimulatorConfig({ SIMULATOR_PORT: '0' }, {});
  await using simulator = await startSimulator(simulatorConfig, surroundings);
  const config = readServerConfig({
    PORT: '0',
    MODE: 'TEST',
    SIMULATOR_URL: simulator.url,
    CAPTURE_DIR: directory,
  });
  const server = await startServer(config, surroundings);
  try {
    await eventually(async () => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      return Number(/^tradewind_captured_frames_total (\d+)/mu.exec(metrics)?.[1]) > 20;
    });
  } finally {
    await server[Symbol.asyncDispose]();
  }
  const paths = readdirSync(directory).map((name) => join(directory, name));
  const { candles, summary } = await replayCaptures(paths, {
    exchange: 'sim-binance',
    timeUnit: 'millisecond',
    timeframes: ['1m'],
    onProgress: () => {},
  });
  expect(summary.trades + summary.bookTickers).toBeGreaterThan(20);
  const [candle] = candles.sorted();
  expect(candle?.instrument).toMatch(/^sim-binance:/);
});
