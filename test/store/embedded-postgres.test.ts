import { fork, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { withConnection } from '../../src/store/one-connection.ts';
import { eventually } from '../support/eventually.ts';
import { openTemporaryDirectory } from '../support/postgres-cluster.ts';

describe('the embedded Postgres', () => {
  let temporary: Awaited<ReturnType<typeof openTemporaryDirectory>>;
  let directory: string;
  beforeEach(async () => {
    temporary = await openTemporaryDirectory();
    directory = join(temporary.path, 'postgres');
  });
  afterEach(() => temporary[Symbol.asyncDispose]());

  const open = (port = 0) =>
    openEmbeddedPostgres({
      directory,
      port,
      isThrowAway: true,
      clock: systemClock,
      logger: silentLogger,
    });

  test('keeps its data, is asked with its URL only, and is gone when it is closed', async () => {
    const first = await open();
    await ask(first.url, 'create table kept as select 42 as n');
    await expect(ask(first.url.replace(/:[^:@]+@/u, ':wrong@'), 'select 1')).rejects.toThrow(
      'password authentication failed',
    );
    await first[Symbol.asyncDispose]();
    expect(isRunning(first.pid)).toBe(false);

    await using second = await open(first.port);
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'select n from kept')).toEqual([{ n: 42 }]);
    const settings = await ask(second.url, 'show server_encoding');
    expect(settings).toEqual([{ server_encoding: 'UTF8' }]);
  });

  test('ends when its owner is killed, and the next start finds its data', async () => {
    const owner = await openInAnotherProcess(directory);
    await ask(owner.url, 'create table kept as select 42 as n');
    owner.process.kill('SIGKILL');
    await once(owner.process, 'close');
    await using next = await open();
    expect(await ask(next.url, 'select n from kept')).toEqual([{ n: 42 }]);
    await eventually(() => !isRunning(owner.pid));
  });

  test('that is left over, as its owner could not tell it to end, is replaced', async () => {
    const owner = await openInAnotherProcess(directory);
    process.kill(owner.pid, 'SIGSTOP');
    owner.process.kill('SIGKILL');
    await once(owner.process, 'close');
    // It was told, but stands still: as if there were no such signal.
    setTimeout(() => process.kill(owner.pid, 'SIGCONT'), 200);
    await using next = await open();
    expect(await ask(next.url, 'select 1 as n')).toEqual([{ n: 1 }]);
  });

  test('of a living owner is left alone', async () => {
    const owner = await openInAnotherProcess(directory);
    await expect(open()).rejects.toThrow(`is in use by process ${owner.process.pid}`);
    expect(await ask(owner.url, 'select 1 as n')).toEqual([{ n: 1 }]);
    owner.process.send('close');
    await once(owner.process, 'close');
    expect(isRunning(owner.pid)).toBe(false);
  });

  test('that was killed starts again', async () => {
    const first = await open();
    await ask(first.url, 'create table kept as select 42 as n');
    process.kill(first.pid, 'SIGKILL');
    await first.exited;
    await using next = await open(first.port);
    expect(await ask(next.url, 'select n from kept')).toEqual([{ n: 42 }]);
    await first[Symbol.asyncDispose]();
  });

  test('starts when its old number belongs to another process', async () => {
    const first = await open();
    await first[Symbol.asyncDispose]();
    const other = spawn('sleep', ['60']);
    const data = join(directory, 'data');
    const lines = [other.pid ?? 0, data, 1, 5432, '', '127.0.0.1', '  1  1', 'ready'];
    await writeFile(join(data, 'postmaster.pid'), `${lines.join('\n')}\n`);
    await using next = await open();
    expect(await ask(next.url, 'select 1 as n')).toEqual([{ n: 1 }]);
    other.kill('SIGKILL');
  });

  test('says in its own words why it does not start', async () => {
    const first = await open();
    await first[Symbol.asyncDispose]();
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(open(port)).rejects.toThrow('Address already in use');
    server.close();
  });

  test('two starts at once end in one that runs', async () => {
    const results = await Promise.allSettled([open(), open()]);
    const running = results.filter((result) => result.status === 'fulfilled');
    expect(running).toHaveLength(1);
    for (const { value } of running) {
      expect(await ask(value.url, 'select 1 as n')).toEqual([{ n: 1 }]);
      await value[Symbol.asyncDispose]();
    }
  });

  test.runIf(process.getuid?.() === 0)(
    'of root in a private folder keeps its data where its account can go',
    async () => {
      const closed = join(temporary.path, 'private');
      await mkdir(closed, { mode: 0o700 });
      await chmod(closed, 0o700);
      directory = join(closed, 'postgres');
      const first = await open();
      await ask(first.url, 'create table kept as select 42 as n');
      await first[Symbol.asyncDispose]();
      await using next = await open();
      expect(await ask(next.url, 'select n from kept')).toEqual([{ n: 42 }]);
      const place = await readFile(join(directory, 'location'), 'utf8');
      expect(place.startsWith(closed)).toBe(false);
      temporary.add(place);
    },
  );
});

const ask = (url: string, statement: string) => withConnection(url, (sql) => sql.text(statement));

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

type Owner = { readonly process: ChildProcess; readonly url: string; readonly pid: number };

async function openInAnotherProcess(directory: string): Promise<Owner> {
  const path = new URL('../support/postgres-owner.ts', import.meta.url);
  const child = fork(path, [directory], { execArgv: [], stdio: 'ignore' });
  const [{ url, pid }] = (await once(child, 'message')) as [{ url: string; pid: number }];
  return { process: child, url, pid };
}
