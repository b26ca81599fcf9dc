import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, onTestFinished, test } from 'vitest';
import { Timeframe } from '../../gen/tradewind/market/v1/candle_pb.ts';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { eventually } from '../support/eventually.ts';

const program = fileURLToPath(new URL('../../src/server.ts', import.meta.url));

/** A server as a process of its own, that follows a simulator, and where it serves. */
async function aServerProcess() {
  const config = readSimulatorConfig({ SIMULATOR_PORT: '0' }, {});
  const simulator = await startSimulator(config, { clock: systemClock, logger: silentLogger });
  onTestFinished(() => simulator[Symbol.asyncDispose]());
  const own = { PORT: '0', MODE: 'TEST', SIMULATOR_URL: simulator.url, BINANCE_SYMBOLS: 'BTCUSDT' };
  const child = spawn(process.execPath, [program], {
    cwd: '/',
    env: { PATH: process.env['PATH'], ...own },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const { promise, resolve } = Promise.withResolvers<string>();
  createInterface(child.stdout).on('line', (line) => {
    const { msg, url } = JSON.parse(line) as { msg: string; url?: string };
    if (msg === 'Serving' && url !== undefined) resolve(url);
  });
  return { child, url: await promise };
}

test('K13 on SIGTERM a thousand streams end with a place to resume at, and the process with 0', async () => {
  const { child, url } = await aServerProcess();
  const selections = [{ instrument: 'sim-binance:BTCUSDT', timeframe: Timeframe.S1 }];
  const ends: { code: Code; cursor: string }[] = [];
  let live = 0;
  // A hundred on each connection is what a server allows.
  const streams = Array.from({ length: 10 }, () => createGrpcTransport({ baseUrl: url })).flatMap(
    (transport) =>
      Array.from({ length: 100 }, async () => {
        let last = '';
        try {
          const stream = createClient(MarketService, transport).streamCandles({ selections });
          for await (const { event, cursor } of stream) {
            if (event.case === 'snapshotEnd') live++;
            last = cursor;
          }
        } catch (error) {
          ends.push({ code: ConnectError.from(error).code, cursor: last });
        }
      }),
  );
  await eventually(() => expect(live).toBe(1000));
  const begun = performance.now();
  child.kill('SIGTERM');
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  await Promise.all(streams);
  expect(exitCode).toBe(0);
  expect(performance.now() - begun, 'within the grace').toBeLessThan(10_000);
  expect(ends).toHaveLength(1000);
  expect(new Set(ends.map(({ code }) => code))).toEqual(new Set([Code.Unavailable]));
  expect(ends.filter(({ cursor }) => !cursor.startsWith('c1.'))).toEqual([]);
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  'K14 a %s while it stops does not keep the process, nor make it fail',
  async (signal) => {
    const { child, url } = await aServerProcess();
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
    child.kill('SIGTERM');
    child.kill(signal);
    const [exitCode] = (await once(child, 'exit')) as [number | null];
    expect(exitCode).toBe(0);
  },
);
