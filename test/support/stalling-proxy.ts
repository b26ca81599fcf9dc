import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/**
 * Stands before a server on 127.0.0.1 and does what networks do: it goes silent (connections stay,
 * and nothing passes), refuses, or cuts a connection after some bytes of the server's answers.
 */
export async function openStallingProxy(targetPort: number) {
  const pairs = new Set<readonly [Socket, Socket]>();
  let isStalled = false;
  let isRefusing = false;
  let answerBytes: (() => number) | undefined;
  const server = createServer((client) => {
    if (isRefusing) {
      client.destroy();
      return;
    }
    const upstream = connect(targetPort, '127.0.0.1');
    const pair = [client, upstream] as const;
    pairs.add(pair);
    let allowed = answerBytes?.() ?? Infinity;
    client.on('data', (bytes) => {
      if (!isStalled) upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      allowed -= bytes.length;
      if (allowed < 0) client.destroy();
      else if (!isStalled) client.write(bytes);
    });
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('error', () => {});
      from.on('close', () => {
        to.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => pairs.forEach((pair) => pair.forEach((socket) => socket.destroy()));
  return {
    port: (server.address() as AddressInfo).port,
    stall: () => {
      isStalled = true;
    },
    /** New connections work again; those that were silenced stay silent. */
    resume: () => {
      for (const pair of pairs) {
        for (const socket of pair) socket.removeAllListeners('data').resume();
      }
      isStalled = false;
    },
    /** Cuts all connections and takes no new ones. */
    refuse: () => {
      isRefusing = true;
      cut();
    },
    accept: () => {
      isRefusing = false;
    },
    /** Cuts all connections. */
    cut,
    /** Cuts each further connection when the server has answered more bytes than this says. */
    cutAfterAnswers: (bytes: () => number) => {
      answerBytes = bytes;
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
