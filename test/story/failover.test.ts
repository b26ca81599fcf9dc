import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../support/eventually.ts';

const pathOf = (program: string) =>
  fileURLToPath(new URL(`../../src/${program}.ts`, import.meta.url));

type Entry = { readonly msg: string; readonly url?: string; readonly exchangePorts?: number[] };

/** Starts a program as a process, and waits until it says this. */
async function start(program: string, environment: Readonly<Record<string, string>>, said: string) {
  const child = spawn(process.execPath, [pathOf(program)], {
    cwd: '/',
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const { promise, resolve } = Promise.withResolvers<Entry>();
  // Read on to its end, or it would wait for us.
  createInterface({ input: child.stdout }).on('line', (line) => {
    const entry = JSON.parse(line) as Entry;
    if (entry.msg === said) resolve(entry);
  });
  return { child, entry: await promise };
}

const simulate = (port: number, exchangePort: number) =>
  start(
    'simulator',
    {
      SIMULATOR_PORT: String(port),
      SIMULATOR_EXCHANGE_PORTS: String(exchangePort),
      SIMULATOR_EXCHANGE_RATE: '50',
    },
    'Simulating',
  );

async function kill(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}

test('three TCP exchanges are followed, and each that is stopped and started again is back without help', async () => {
  const programs = await Promise.all([simulate(0, 0), simulate(0, 0), simulate(0, 0)]);
  const ports = programs.map(({ entry }) => entry.exchangePorts?.[0] ?? 0);
  const environment = Object.fromEntries(
    ports.map((port, index) => [`EXCHANGE${index + 1}_PORT`, String(port)]),
  );
  const { entry } = await start(
    'server',
    { PORT: '0', EXCHANGE3_NAME: 'third', ...environment },
    'Serving',
  );
  const json = async (path: string) => {
    const response = await fetch(`${entry.url}${path}`);
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };
  type Feeds = readonly { readonly exchange: string; readonly status: string }[];
  const health = async () => {
    const { status, body } = await json('/health');
    const feeds = (body['feeds'] as Feeds).map(({ exchange, status }) => `${exchange} ${status}`);
    return [status, body['status'], ...feeds];
  };
  const priceTime = async (exchange: string) =>
    String((await json(`/prices/latest/${exchange}/BTCUSDT`)).body['timestamp']);

  const all = ['exchange1 ok', 'exchange2 ok', 'third ok'];
  await eventually(async () => expect(await health()).toEqual([200, 'ok', ...all]));

  const [first] = programs;
  if (first === undefined) throw new Error('Expected it to be there');
  await kill(first.child);
  // What is known of the connections is told at once.
  await eventually(
    async () =>
      expect(await health()).toEqual([
        200,
        'degraded',
        'exchange1 down',
        'exchange2 ok',
        'third ok',
      ]),
    2000,
  );
  const before = await priceTime('exchange1');
  const others = await priceTime('third');
  await eventually(async () => expect(await priceTime('third')).not.toBe(others));
  expect(await priceTime('exchange1')).toBe(before);

  for (const { child } of programs.slice(1)) await kill(child);
  await eventually(async () => expect((await health()).slice(0, 2)).toEqual([503, 'down']), 2000);

  for (const port of ports) await simulate(0, port);
  await eventually(async () => expect(await health()).toEqual([200, 'ok', ...all]));
  await eventually(async () => expect(await priceTime('exchange1')).not.toBe(before));
}, 60_000);

test('a simulator that is killed and started again goes on where it would be, in TEST mode', async () => {
  const first = await simulate(0, 0);
  const url = first.entry.url ?? '';
  const [exchangePort = 0] = first.entry.exchangePorts ?? [];
  const environment = {
    PORT: '0',
    MODE: 'TEST',
    BINANCE_SYMBOLS: 'BTCUSDT',
    SIMULATOR_URL: url,
    SIMULATOR_EXCHANGE_PORTS: String(exchangePort),
  };
  const { entry } = await start('server', environment, 'Serving');
  const instruments = async () => {
    const response = await fetch(`${entry.url}/v1/instruments`);
    const { instruments: all } = (await response.json()) as {
      instruments: { name: string; state: string; tradesMissing: string }[];
    };
    return all
      .filter(({ name }) => name.endsWith(':BTCUSDT'))
      .map(({ name, state, tradesMissing }) => `${name} ${state} ${tradesMissing}`);
  };
  const live = ['sim-binance:BTCUSDT FEED_STATE_LIVE 0', 'sim-exchange1:BTCUSDT FEED_STATE_LIVE 0'];
  await eventually(async () => expect(await instruments()).toEqual(live));
  await kill(first.child);
  await eventually(async () => {
    for (const one of await instruments()) expect(one).toContain('FEED_STATE_DOWN');
  });
  await simulate(Number(new URL(url).port), exchangePort);
  // All trades of the time between have been asked for, where they can be.
  await eventually(async () => expect(await instruments()).toEqual(live));
}, 60_000);
