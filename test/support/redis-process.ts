import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createClient } from '@redis/client';
import { eventually } from './eventually.ts';

/** A redis-server of Debian's, with nothing on disk, that a test can stop, freeze and start again. */
export type RedisProcess = AsyncDisposable & {
  readonly url: string;
  /** Sends a command over a connection of its own. */
  readonly ask: (...command: string[]) => Promise<unknown>;
  /** SIGSTOP: connections are accepted, and nothing is answered. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  readonly kill: () => Promise<void>;
  /** Starts it again at the same port, empty. */
  readonly start: () => Promise<void>;
};

export async function startRedis(): Promise<RedisProcess> {
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  const ask = async (...command: string[]) => {
    const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false } });
    client.on('error', () => {});
    try {
      await client.connect();
      return await client.sendCommand(command);
    } finally {
      if (client.isOpen) client.destroy();
    }
  };
  const kill = async () => {
    const running = child;
    child = undefined;
    if (running === undefined) return;
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
  };
  const start = async () => {
    const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', ''];
    child = spawn('/usr/bin/redis-server', settings, { stdio: 'ignore' });
    await eventually(async () => void (await ask('PING')));
  };
  await start();
  return {
    url,
    ask,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    kill,
    start,
    [Symbol.asyncDispose]: kill,
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
