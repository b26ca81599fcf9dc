import { tryToListen } from './try-to-listen.ts';

/**
 * All that a program on this machine can be reached at. Systems differ in whether listening on all
 * addresses notices a program that listens on one of them, so each is tried.
 */
const addresses = ['::', '0.0.0.0', '127.0.0.1', '::1'];

/** Tries to find a free port before giving up; each is random, so that one is nearly always enough. */
const attempts = 20;

/**
 * Chooses a port: the wanted one, or a free one when that is in use (or 0). `chosen` are ports that
 * are spoken for, though nobody listens there yet; the answer is added to them.
 */
export async function choosePort(wanted: number, chosen: Set<number>): Promise<number> {
  let port = wanted;
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (port !== 0 && !chosen.has(port) && (await isFree(port))) {
      chosen.add(port);
      return port;
    }
    port = (await tryToListen(0, '127.0.0.1')) ?? 0;
  }
  throw new Error(`No free port was found in ${attempts} tries`);
}

async function isFree(port: number): Promise<boolean> {
  for (const address of addresses) {
    if ((await tryToListen(port, address)) === undefined) return false;
  }
  return true;
}
