import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** Stands before the simulator and counts who comes: only there is seen what an exchange would see. */
export type CountingProxy = AsyncDisposable & {
  readonly port: number;
  /** WebSocket upgrades that were asked for. */
  readonly connects: number;
  /** REST questions whose path and query begin with this. */
  questions(beginning: string): number;
};

/** Passes bytes both ways as they are, and an end of either side as the kind of end that it was. */
export async function openCountingProxy(targetPort: number): Promise<CountingProxy> {
  const sockets = new Set<Socket>();
  const asked: string[] = [];
  let connects = 0;
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    let isUpgraded = false;
    client.on('data', (bytes) => {
      // A question comes in one piece: it is short, and its client waits for the answer.
      const [, path, rest = ''] = /^GET (\S+) ([^]*)$/u.exec(isUpgraded ? '' : String(bytes)) ?? [];
      if (path !== undefined) {
        isUpgraded = /\r\nupgrade:/iu.test(rest);
        if (isUpgraded) connects++;
        else asked.push(path);
      }
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => client.write(bytes));
    join(client, upstream);
    join(upstream, client);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    get connects() {
      return connects;
    },
    questions: (beginning) => asked.filter((path) => path.startsWith(beginning)).length,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function join(from: Socket, to: Socket): void {
  from.on('error', () => to.resetAndDestroy());
  from.on('end', () => to.end());
  from.on('close', () => to.destroySoon());
}
