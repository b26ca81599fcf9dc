import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, onTestFinished, test } from 'vitest';
import { Timeframe } from '../../gen/tradewind/market/v1/candle_pb.ts';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { StreamCandlesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { runToEnd } from '../support/run-program.ts';

const program = fileURLToPath(new URL('../../src/server.ts', import.meta.url));

/** Starts the server as a process, on a free port, and waits until it says where it serves. */
async function startServerProcess(environment: Record<string, string>) {
  const child = spawn(process.execPath, [program], {
    cwd: '/',
    env: { PATH: process.env['PATH'], PORT: '0', ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  for await (const line of createInterface(child.stdout)) {
    const { msg, url } = JSON.parse(line) as { msg: string; url?: string };
    if (msg === 'Serving' && url !== undefined) return { child, url };
  }
  throw new Error('The server ended before it served');
}

test('on SIGTERM streams end with UNAVAILABLE after a last cursor, and the process with 0', async () => {
  const simulatorConfig = readSimulatorConfig({ SIMULATOR_PORT: '0' }, {});
  await using simulator = await startSimulator(simulatorConfig, {
    clock: systemClock,
    logger: silentLogger,
  });
  const environment = { MODE: 'TEST', SIMULATOR_URL: simulator.url, BINANCE_SYMBOLS: 'BTCUSDT' };
  const { child, url } = await startServerProcess(environment);
  const client = createClient(MarketService, createGrpcTransport({ baseUrl: url }));
  const selections = [{ instrument: '', timeframe: Timeframe.M1 }];
  const elements: StreamCandlesResponse[] = [];
  const stream = (async () => {
    for await (const element of client.streamCandles({ selections })) {
      elements.push(element);
      if (element.event.case === 'snapshotEnd') child.kill('SIGTERM');
    }
  })();
  await expect(stream).rejects.toMatchObject({ code: Code.Unavailable });
  const last = elements.at(-1);
  expect(last?.event.case).toBe('heartbeat');
  expect(last?.cursor).toMatch(/^c1\./u);
  const [exitCode] = (await once(child, 'exit')) as [number | null];
  expect(exitCode).toBe(0);
});

test('every problem of the configuration is said at once, with exit code 2', async () => {
  const { exitCode, stderr } = await runToEnd('server', [], {
    HOST: '0.0.0.0',
    PORT: '70000',
    MODE: 'PAPER',
    BINANCE_REST_BASE_URL: 'ftp://example.com',
  });
  expect(exitCode).toBe(2);
  for (const key of ['PORT', 'MODE', 'BINANCE_REST_BASE_URL']) expect(stderr).toContain(`${key}:`);
});

test('a HOST off loopback is refused unless everybody is to be served', async () => {
  const { exitCode, stderr } = await runToEnd('server', [], { HOST: '0.0.0.0', PORT: '0' });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('HOST: 0.0.0.0 is not loopback');
  expect(stderr).toContain('ALLOW_UNAUTHENTICATED=true');
});

test.each(['server', 'persistor', 'simulator', 'standalone', 'migrate'])(
  '%s says that a settings file is not there, with exit code 2',
  async (name) => {
    const args = [...(name === 'migrate' ? ['up'] : []), '--env-file', '/no/such/file'];
    const { exitCode, stderr } = await runToEnd(name, args);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: expect.stringContaining('--env-file /no/such/file: ENOENT'),
    });
  },
);

test.each([
  ['server', { MODE: 'TEST' }, 'PORT'],
  ['simulator', {}, 'SIMULATOR_PORT'],
  ['persistor', { DATABASE_URL: 'postgres://127.0.0.1:1/x' }, 'METRICS_PORT'],
])('%s tells in one line that its port is taken', async (name, environment, key) => {
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const values = { ...environment, LOG_LEVEL: 'error', [key]: String(port) };
  const { exitCode, stdout, stderr } = await runToEnd(name, [], values);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toMatch(
    new RegExp(`^Expected to listen on \\w+=127.0.0.1, ${key}=${port}: another program .*\n$`, 'u'),
  );
});

test.each(['server', 'persistor', 'simulator', 'standalone', 'replay', 'migrate', 'sql'])(
  '%s answers --help and --version',
  async (name) => {
    const help = await runToEnd(name, ['--help']);
    expect(help).toMatchObject({ exitCode: 0, stderr: '' });
    expect(help.stdout).toContain(`Usage: ${name} `);
    const version = await runToEnd(name, ['--version']);
    expect(version).toMatchObject({ exitCode: 0, stdout: '0.1.0\n' });
  },
);
