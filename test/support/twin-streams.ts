import type { WebSocket } from 'ws';
import { aFrame } from './binance-frames.ts';
import type { TwinExchange } from './twin-exchange.ts';

type Message = {
  readonly method: string;
  readonly params?: readonly string[];
  readonly id: number;
};

type Request = {
  readonly method: string;
  readonly params: readonly string[];
  /** Which connection it came on, from 0. */
  readonly connection: number;
};

/** Makes a twin exchange keep subscriptions as Binance does, and lose them when it is told to. */
export class TwinStreams {
  readonly requests: Request[] = [];
  /** The streams in force, by connection. */
  readonly inForce: Set<string>[] = [];
  /** Streams that it claims to deliver and does not, by connection; a new subscription heals them. */
  readonly dead: Set<string>[] = [];
  /** Streams that no new subscription heals. */
  readonly hopeless = new Set<string>();
  /** Streams that it takes without a word and never has in force. */
  readonly forgotten = new Set<string>();
  /** Streams that it refuses with an error. */
  readonly refused = new Set<string>();
  /** Whether it answers requests at all. */
  isAnswering = true;
  readonly #sockets: WebSocket[] = [];

  constructor(twin: TwinExchange) {
    twin.onConnect = (socket, url) => {
      const streams = (url.searchParams.get('streams') ?? '').split('/');
      this.#sockets.push(socket);
      this.inForce.push(new Set(streams.filter((stream) => !this.forgotten.has(stream))));
      this.dead.push(new Set(this.hopeless));
    };
    twin.onMessage = (text, socket) => this.#take(text, socket);
  }

  get connections(): number {
    return this.#sockets.length;
  }

  socket(connection: number): WebSocket | undefined {
    return this.#sockets[connection];
  }

  /** What was asked, as "SUBSCRIBE a b". */
  get asked(): readonly string[] {
    return this.requests.map(({ method, params }) => [method, ...params].join(' '));
  }

  /** Sends an event's payload on every connection that delivers its stream, or only on one. */
  publish(payload: Readonly<Record<string, unknown>>, only?: number): void {
    const kind = typeof payload['e'] === 'string' ? payload['e'] : 'bookTicker';
    const stream = `${String(payload['s']).toLowerCase()}@${kind}`;
    for (const [connection, socket] of this.#sockets.entries()) {
      if (only !== undefined && connection !== only) continue;
      if (this.inForce[connection]?.has(stream) !== true) continue;
      if (this.dead[connection]?.has(stream) !== true) socket.send(aFrame(payload));
    }
  }

  /** Ends a stream on a connection: the exchange still names it, but delivers nothing. */
  kill(stream: string, connection = this.connections - 1): void {
    this.dead[connection]?.add(stream);
  }

  #take(text: string, socket: WebSocket): void {
    const connection = this.#sockets.indexOf(socket);
    const request = JSON.parse(text) as Message;
    const { method, params = [], id } = request;
    this.requests.push({ method, params, connection });
    if (!this.isAnswering) return;
    if (params.some((stream) => this.refused.has(stream))) {
      socket.send(JSON.stringify({ code: 2, msg: 'Invalid request: no such stream', id }));
      return;
    }
    const inForce = this.inForce[connection] ?? new Set();
    for (const stream of params) {
      if (method === 'UNSUBSCRIBE') inForce.delete(stream);
      if (method !== 'SUBSCRIBE' || this.forgotten.has(stream)) continue;
      inForce.add(stream);
      if (!this.hopeless.has(stream)) this.dead[connection]?.delete(stream);
    }
    const result = method === 'LIST_SUBSCRIPTIONS' ? [...inForce] : null;
    socket.send(JSON.stringify({ result, id }));
  }
}
