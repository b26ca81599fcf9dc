import { randomBytes } from 'node:crypto';
import { chown, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Account } from './account.ts';
import type { Binaries } from './binaries.ts';
import { runChild } from './child-process.ts';

/** The user that owns the databases. */
export const superuser = 'tradewind';

/** The file in the data directory that keeps the superuser's password; only its owner can read it. */
const passwordName = 'tradewind-password';

export type ClusterOptions = {
  /** Where the data directory is to be. */
  readonly data: string;
  readonly account: Account | undefined;
  readonly binaries: Binaries;
  /** Whether the disk may be left to catch up: only for what is thrown away. */
  readonly isThrowAway: boolean;
};

/**
 * Makes the data directory unless there is one, and answers the password. It is made beside its
 * place and moved there when it is whole: a start that was killed leaves nothing half-made.
 *
 * There is a password although only this machine can connect: everybody on it can, and a superuser
 * of Postgres can run programs as its user.
 */
export async function ensureCluster(options: ClusterOptions): Promise<string> {
  const { data, account, binaries, isThrowAway } = options;
  if (!(await exists(data))) {
    const workshop = await mkdtemp(`${data}.new-`);
    try {
      await makeCluster(workshop, account, binaries, isThrowAway);
      await rename(join(workshop, 'data'), data);
    } catch (error) {
      // Another process may have been faster.
      if (!(await exists(data))) throw error;
    } finally {
      await rm(workshop, { recursive: true, force: true });
    }
  }
  return readFile(join(data, passwordName), 'utf8');
}

async function makeCluster(
  workshop: string,
  account: Account | undefined,
  { initdb }: Binaries,
  isThrowAway: boolean,
): Promise<void> {
  const data = join(workshop, 'data');
  const password = join(workshop, passwordName);
  await writeFile(password, randomBytes(18).toString('base64url'), { mode: 0o600 });
  if (account !== undefined) {
    await chown(workshop, account.uid, account.gid);
    await chown(password, account.uid, account.gid);
  }
  const args = [
    `--pgdata=${data}`,
    `--username=${superuser}`,
    `--pwfile=${password}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // Sorts by bytes and knows Unicode, the same on every system.
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
  ];
  await runChild(initdb, isThrowAway ? [...args, '--no-sync'] : args, { account });
  await rename(password, join(data, passwordName));
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
