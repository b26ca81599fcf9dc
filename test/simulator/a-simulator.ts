import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { silentLogger } from '../../src/base/logger.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import type { SimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import type { RunningSimulator } from '../../src/simulator/start-simulator.ts';
import { TwinClock } from '../support/twin-clock.ts';

/** A quarter past noon on a Friday in 2026, where history is long enough for every timeframe. */
export const noon = Date.UTC(2026, 10, 20, 12, 15, 7, 500) * 1000;

type Answer<T = unknown> = {
  readonly status: number;
  readonly body: T;
  readonly headers: Headers;
};

export type SimulatorTwin = {
  readonly simulator: RunningSimulator;
  readonly clock: TwinClock;
  readonly get: <T = unknown>(path: string, headers?: Record<string, string>) => Promise<Answer<T>>;
  readonly control: <T = unknown>(body: unknown) => Promise<Answer<T>>;
  readonly connect: (path: string, options?: { autoPong: boolean }) => Promise<Client>;
};

/** A simulator on a free port whose time stands still until it is moved; ended with the test. */
export async function aSimulator(
  config: Partial<SimulatorConfig> = {},
  clock = new TwinClock(noon),
): Promise<SimulatorTwin> {
  const simulator = await startSimulator(
    { ...readSimulatorConfig({ SIMULATOR_PORT: '0' }, {}), seed: 'test', ...config },
    { clock, logger: silentLogger },
  );
  onTestFinished(() => simulator[Symbol.asyncDispose]());
  return {
    simulator,
    clock,
    get: async (path, headers = {}) => read(await fetch(simulator.url + path, { headers })),
    control: async (body) => {
      const text = typeof body === 'string' ? body : JSON.stringify(body);
      return read(await fetch(`${simulator.url}/control`, { method: 'POST', body: text }));
    },
    connect: (path, options) => connect(simulator.url.replace('http', 'ws') + path, options),
  };
}

async function read<T>(response: Response): Promise<Answer<T>> {
  const { status, headers } = response;
  return { status, headers, body: (await response.json()) as T };
}

/** A client that keeps what it gets. */
export type Client = {
  readonly socket: WebSocket;
  /** Everything that came, as text. */
  readonly messages: string[];
  /** Resolves with the code of its end. */
  readonly closed: Promise<number>;
  pings: number;
  readonly send: (request: unknown) => void;
};

async function connect(url: string, options = { autoPong: true }): Promise<Client> {
  const socket = new WebSocket(url, options);
  onTestFinished(() => socket.terminate());
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<number>();
  const client: Client = {
    socket,
    messages: [],
    closed,
    pings: 0,
    send: (request) => socket.send(typeof request === 'string' ? request : JSON.stringify(request)),
  };
  socket.on('message', (data) =>
    client.messages.push(Buffer.isBuffer(data) ? data.toString() : ''),
  );
  socket.on('ping', () => (client.pings += 1));
  socket.on('close', resolveClosed);
  const { promise: open, resolve, reject } = Promise.withResolvers<void>();
  socket.on('open', resolve);
  socket.on('error', reject);
  await open;
  return client;
}
