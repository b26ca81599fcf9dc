import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

/**
 * Listens for a moment, to find out whether a port is free; 0 finds one that is.
 * @returns the port, or undefined when it is in use or not ours to use
 */
export function tryToListen(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      // No IPv6 on this machine: nobody else can use it either.
      if (error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT') resolve(port);
      // A port below 1024 is not ours to use.
      else if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => {
      const chosen = (server.address() as AddressInfo).port;
      server.close(() => resolve(chosen));
    });
  });
}
