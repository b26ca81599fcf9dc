import { chmod, mkdir, mkdtemp, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Account } from './account.ts';
import { canEnter } from './account.ts';

/** Where root keeps what Postgres' account must reach; the first one that can be written is used. */
const shelves = ['/var/lib/tradewind', join(tmpdir(), 'tradewind')];

/** A folder for things that every user can reach. Only root asks for it. */
export async function openShelf(): Promise<string> {
  for (const shelf of shelves) {
    try {
      await mkdir(shelf, { recursive: true });
      // In /tmp it may be somebody else's.
      if ((await stat(shelf)).uid !== process.getuid?.()) continue;
      await chmod(shelf, 0o755);
      return shelf;
    } catch {
      // The next one.
    }
  }
  throw new Error(`None of these folders can be made: ${shelves.join(', ')}`);
}

/**
 * The folder that holds the data: `directory` itself, unless Postgres' account cannot enter it
 * (root's clone in a private folder). Then it is a folder on the shelf, and a file `location` in
 * `directory` says which, so that the next start finds it and a new clone does not.
 */
export async function placeData(directory: string, account: Account | undefined): Promise<string> {
  await mkdir(directory, { recursive: true });
  if (account === undefined) return directory;
  const pointer = join(directory, 'location');
  const known = await readFile(pointer, 'utf8').catch(() => undefined);
  if (known !== undefined && (await stat(known).catch(() => undefined)) !== undefined) return known;
  if (await canEnter(account, directory)) return directory;

  const place = await mkdtemp(join(await openShelf(), 'data-'));
  await chmod(place, 0o711);
  await writeFile(join(place, 'belongs-to'), directory);
  await writeFile(pointer, place);
  return place;
}
