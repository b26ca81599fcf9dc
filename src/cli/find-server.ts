import { readAddresses } from '../base/addresses.ts';
import type { CliConfig } from './config.ts';

/** Where the server is looked for, and how we came to look there. */
export type ServerLocation = { readonly address: string; readonly origin: string };

/** The address a server has when nobody said otherwise. */
const defaultAddress = '127.0.0.1:8080';

/** The server that was named, else the one of PORT, else the one npm start runs, else the default. */
export function findServer({ server, port, directory }: CliConfig): ServerLocation {
  if (server !== undefined) return { address: server, origin: '--server' };
  if (port !== undefined) return { address: `127.0.0.1:${port}`, origin: 'PORT' };
  const kept = readAddresses(directory);
  if (kept !== undefined) return { address: kept.server, origin: `${directory}/addresses.json` };
  return { address: defaultAddress, origin: 'the default' };
}
