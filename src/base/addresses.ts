import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** Where the programs of a standalone are reached: `npm start` writes it, the tools read it. */
export type Addresses = z.output<typeof schema>;

const schema = z.object({
  /** The process of the standalone itself. */
  pid: z.number().int(),
  /** http://host:port of the server. */
  server: z.string(),
  /** http://host:port of the simulator; not there in LIVE mode. */
  simulator: z.string().optional(),
  /** postgres://user:password@host:port/database */
  database: z.string(),
});

const pathIn = (directory: string) => join(directory, 'addresses.json');

/** The addresses kept in a directory; undefined when nothing runs there. */
export function readAddresses(directory: string): Addresses | undefined {
  try {
    return schema.parse(JSON.parse(readFileSync(pathIn(directory), 'utf8')));
  } catch {
    // Missing, or half-written by an older version: there is nothing to be found either way.
    return undefined;
  }
}

/** Only the user can read them: the database's address has its password in it. */
export function writeAddresses(directory: string, addresses: Addresses): void {
  const half = `${pathIn(directory)}.${process.pid}`;
  writeFileSync(half, `${JSON.stringify(addresses, null, 2)}\n`, { mode: 0o600 });
  renameSync(half, pathIn(directory));
}

export function removeAddresses(directory: string): void {
  rmSync(pathIn(directory), { force: true });
}
