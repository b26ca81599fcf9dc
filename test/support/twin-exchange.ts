import { once } from 'node:events';
import { createServer, STATUS_CODES } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';

export type TwinAnswer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as it is, anything else as JSON; undefined: never answers. */
  readonly body?: unknown;
};

/**
 * An exchange that does what a test tells it to: `ws` and REST on one port of its own. Until told
 * otherwise it accepts every connection, says nothing on it, and knows no trade.
 */
export class TwinExchange implements AsyncDisposable {
  /** The path and query of each attempt to connect, also of those that were refused. */
  readonly upgrades: string[] = [];
  /** The path and query of each REST question. */
  readonly questions: string[] = [];
  /** The connections that are open. */
  readonly sockets = new Set<WebSocket>();
  /** What a connection attempt is answered with instead of being accepted. */
  refusal: TwinAnswer | undefined;
  onConnect: (socket: WebSocket, url: URL) => void = () => {};
  /** What a client says on a connection. */
  onMessage: (text: string, socket: WebSocket) => void = () => {};
  answer: (url: URL) => TwinAnswer = () => ({ body: [] });
  readonly #server: Server;
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });

  private constructor() {
    this.#server = createServer((request, response) => {
      this.questions.push(request.url ?? '');
      const answer = this.answer(new URL(request.url ?? '', 'http://twin'));
      if (!('body' in answer) && answer.status === undefined) return;
      const { body } = answer;
      response.writeHead(answer.status ?? 200, answer.headers);
      response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.upgrades.push(request.url ?? '');
      if (this.refusal !== undefined) {
        const { status = 400, headers = {} } = this.refusal;
        const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
        socket.end(
          `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'No'}\r\n${lines.join('')}content-length: 0\r\n\r\n`,
        );
        return;
      }
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.sockets.add(webSocket);
        webSocket.on('close', () => this.sockets.delete(webSocket));
        webSocket.on('error', () => {});
        webSocket.on('message', (data) => {
          if (Buffer.isBuffer(data)) this.onMessage(data.toString(), webSocket);
        });
        this.onConnect(webSocket, new URL(request.url ?? '', 'http://twin'));
      });
    });
  }

  static async open(): Promise<TwinExchange> {
    const twin = new TwinExchange();
    twin.#server.listen(0, '127.0.0.1');
    await once(twin.#server, 'listening');
    return twin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get webSocketBaseUrl(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  get restBaseUrl(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Sends a frame on every connection: text as it is, anything else as JSON. */
  send(frame: unknown): void {
    const text = typeof frame === 'string' ? frame : JSON.stringify(frame);
    for (const socket of this.sockets) socket.send(text);
  }

  /** Drops every connection without a close frame. */
  cut(): void {
    for (const socket of this.sockets) socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
