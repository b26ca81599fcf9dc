import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

type LineParts = {
  readonly symbol?: string;
  /** As it is to be written. */
  readonly price?: string;
  readonly timestamp?: number;
};

/** A line as MarketFlow's exchanges write it, without its newline. */
export function aPriceLine({
  symbol = 'BTCUSDT',
  price = '100',
  timestamp = 0,
}: LineParts): string {
  return `{"symbol":"${symbol}","price":${price},"timestamp":${timestamp}}`;
}

/** An exchange that pushes what a test tells it to, to everybody who connects to its port. */
export class TwinJsonLines implements AsyncDisposable {
  /** Connections that were accepted until now. */
  accepted = 0;
  readonly sockets = new Set<Socket>();
  #server: Server;
  readonly port: number;

  private constructor(server: Server) {
    this.#server = this.#prepare(server);
    this.port = (server.address() as AddressInfo).port;
  }

  static async open(): Promise<TwinJsonLines> {
    return new TwinJsonLines(await listening(0));
  }

  /** Sends to all that are connected. */
  send(data: string | Uint8Array): void {
    for (const socket of this.sockets) socket.write(data);
  }

  /** Sends whole lines. */
  line(...parts: readonly LineParts[]): void {
    this.send(parts.map((each) => `${aPriceLine(each)}\n`).join(''));
  }

  /** Ends every connection, after what was sent: with a FIN, or at once with a RST. */
  cut(how: 'fin' | 'reset' = 'fin'): void {
    for (const socket of this.sockets) {
      if (how === 'fin') socket.end();
      else socket.resetAndDestroy();
    }
  }

  /** The program is stopped: connections end, and new ones are refused. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  /** The program is started again, at the same port. */
  async start(): Promise<void> {
    this.#server = this.#prepare(await listening(this.port));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }

  #prepare(server: Server): Server {
    return server.on('connection', (socket) => {
      this.accepted++;
      this.sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.sockets.delete(socket));
    });
  }
}

async function listening(port: number): Promise<Server> {
  const server = createServer();
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
