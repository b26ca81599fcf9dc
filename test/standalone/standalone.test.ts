import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { readAddresses } from '../../src/base/addresses.ts';
import type { Addresses } from '../../src/base/addresses.ts';
import { withConnection } from '../../src/store/one-connection.ts';
import { eventually } from '../support/eventually.ts';
import { runToEnd } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { childrenOf, stillRunning } from './process-tree.ts';

/** A first start makes a database and three programs, on machines that have other work, too. */
const startTimeoutMs = 90_000;

type Standalone = {
  readonly process: ChildProcess;
  readonly pid: number;
  readonly lines: string[];
};

function environmentOf(directory: string, port: number) {
  return {
    TRADEWIND_DIRECTORY: directory,
    PORT: String(port),
    SIMULATOR_PORT: '0',
    SIMULATOR_EXCHANGE_PORTS: '0 0 0',
    POSTGRES_PORT: '0',
    // Nothing of it may depend on a home.
    HOME: '',
  };
}

function start(environment: Readonly<Record<string, string>>): Standalone {
  const path = fileURLToPath(new URL('../../src/standalone.ts', import.meta.url));
  const child = spawn(process.execPath, [path], {
    cwd: '/',
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
  // Killed it takes its programs with it, as the test shows.
  onTestFinished(() => void child.kill('SIGKILL'));
  return { process: child, pid: child.pid ?? 0, lines };
}

async function untilUp({ process, lines }: Standalone, directory: string): Promise<Addresses> {
  await eventually(() => {
    if (process.exitCode !== null) throw new Error(`It ended: ${lines.join('\n')}`);
    return lines.some((line) => line.includes('Ctrl-C ends all of it'));
  }, startTimeoutMs);
  const addresses = readAddresses(directory);
  if (addresses === undefined) throw new Error('Expected the addresses to be kept');
  return addresses;
}

function countCandles(url: string): Promise<number> {
  return withConnection(url, async (sql) => {
    const [row] = await sql<{ count: number }>`select count(*) from candle`;
    return Number(row?.count);
  });
}

async function occupiedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

test('npm start runs everything, mends it, keeps its data, and leaves nothing behind', async () => {
  const directory = join(temporaryDirectory(), '.tradewind');
  const taken = await occupiedPort();
  const environment = environmentOf(directory, taken);

  const first = start(environment);
  const addresses = await untilUp(first, directory);
  expect(new URL(addresses.server).port).not.toBe(String(taken));

  // Candles come out of it, and into the database.
  const cli = { TRADEWIND_DIRECTORY: directory };
  await eventually(async () => {
    const { stdout } = await runToEnd('cli', ['candles', 'BTCUSDT', '-t', '1s', '--json'], cli);
    return stdout.includes('"symbol":"BTCUSDT"');
  });
  await eventually(async () => (await countCandles(addresses.database)) > 0);

  // All that the simulator shows is followed.
  const mode = await (await fetch(`${addresses.server}/mode`)).json();
  expect(mode).toEqual({
    mode: 'MODE_TEST',
    exchanges: ['sim-binance', 'sim-exchange1', 'sim-exchange2', 'sim-exchange3'],
    kept: true,
  });

  // A second one does no harm.
  const second = await runToEnd('standalone', [], environment);
  expect([second.exitCode, second.stdout]).toEqual([1, '']);
  expect(second.stderr).toContain(`already (process ${first.pid})`);
  expect(second.stderr).toContain(addresses.server);

  // A program that dies comes back.
  const [server = 0] = childrenOf(first.pid, 'src/server.ts');
  process.kill(server, 'SIGKILL');
  await eventually(() => {
    const [again] = childrenOf(first.pid, 'src/server.ts');
    return again !== undefined && again !== server;
  });
  expect(first.lines.join('\n')).toContain('The server ended by itself, starting it again');

  // Killed, it takes everything with it.
  const programs = childrenOf(first.pid);
  expect(programs).toHaveLength(4);
  const count = await countCandles(addresses.database);
  first.process.kill('SIGKILL');
  await eventually(() => stillRunning(programs).length === 0);

  // The next one takes over what was left, has the data, and adds to it.
  const next = start(environment);
  const { database } = await untilUp(next, directory);
  expect(await countCandles(database)).toBeGreaterThanOrEqual(count);
  await eventually(async () => (await countCandles(database)) > count);

  // Told to end, it ends the programs in their order.
  const nextPrograms = childrenOf(next.pid);
  expect(nextPrograms).toHaveLength(4);
  next.process.kill('SIGTERM');
  await once(next.process, 'close');
  expect(next.process.exitCode).toBe(0);
  expect(stillRunning(nextPrograms)).toEqual([]);
  expect(existsSync(join(directory, 'addresses.json'))).toBe(false);
  const ends = next.lines.map((line) => /(\w+) +Stopped$/u.exec(line)?.[1]).filter(Boolean);
  expect(ends).toEqual(['persistor', 'server', 'simulator', 'standalone']);
});
