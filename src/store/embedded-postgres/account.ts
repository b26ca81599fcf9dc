import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A system user that programs are run as. */
export type Account = { readonly uid: number; readonly gid: number };

/** Users that exist on practically every system and own nothing of value, the best one first. */
const candidates = ['postgres', 'nobody'];

/**
 * Whom to run Postgres as: it refuses to be run by root. Undefined means ourselves, which is right
 * for everybody else. A data directory is only ever served by the user who owns it.
 * @throws Error when root finds no user to switch to
 */
export async function postgresAccount(dataDirectory: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(dataDirectory).catch(() => undefined);
  if (owner !== undefined && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };

  const users = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const candidate of candidates) {
    const [, , uid, gid] = users.find(([name]) => name === candidate) ?? [];
    if (Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw new Error(
    `Postgres cannot be run by root, and there is no user to switch to: expected one named ${candidates.join(' or ')} in /etc/passwd`,
  );
}

/** Whether `account` may enter `directory`, which takes the right to enter all its parents, too. */
export async function canEnter(account: Account, directory: string): Promise<boolean> {
  let path = await realpath(directory).catch(() => undefined);
  if (path === undefined) return false;
  for (;;) {
    const { uid, gid, mode } = await stat(path);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if ((mode & bit) === 0) return false;
    if (path === dirname(path)) return true;
    path = dirname(path);
  }
}
