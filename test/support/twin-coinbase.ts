import type { WebSocket } from 'ws';
import { aCoinbaseTicker, aCoinbaseTrade, aHeartbeat, aMatch, isoTime } from './coinbase-frames.ts';
import type { TwinAnswer, TwinExchange } from './twin-exchange.ts';

type Request = {
  readonly type: 'subscribe' | 'unsubscribe';
  readonly channels: readonly { readonly name: string; readonly product_ids: readonly string[] }[];
};

type Row = ReturnType<typeof aCoinbaseTrade>;

/** Makes a twin exchange behave as Coinbase does: it keeps a tape, and tells it unless told not to. */
export class TwinCoinbase {
  /** What clients have sent, as "subscribe matches:BTC-USD …". */
  readonly requests: string[] = [];
  /** Products that it does not know: one of them, and it refuses the whole request. */
  readonly unknown = new Set<string>();
  /** Whether it answers subscriptions at all. */
  isAnswering = true;
  /** What `/products` lists; undefined: it is not there. */
  products: readonly unknown[] | undefined;
  readonly #tapes = new Map<string, Row[]>();
  readonly #inForce = new Map<WebSocket, Set<string>>();

  constructor(twin: TwinExchange) {
    twin.onConnect = (socket) => this.#inForce.set(socket, new Set());
    twin.onMessage = (text, socket) => this.#take(JSON.parse(text) as Request, socket);
    twin.answer = (url) => this.#answer(url);
  }

  /** Something trades: it is on the tape, and told `times` times to who subscribed it. */
  trade(time: number, times = 1, product = 'BTC-USD'): number {
    const tape = this.#tapes.get(product) ?? [];
    this.#tapes.set(product, tape);
    const id = tape.length + 1;
    const price = String(100 + (id % 10));
    tape.push(aCoinbaseTrade({ trade_id: id, time: isoTime(time), price, size: '1' }));
    const match = aMatch({ ...tape.at(-1), product_id: product });
    for (let count = 0; count < times; count++) this.publish('matches', match);
    return id;
  }

  ticker(sequence: number, product = 'BTC-USD'): void {
    this.publish('ticker', aCoinbaseTicker({ sequence, product_id: product }));
  }

  /** A second is over: each product's last trade is named, or another one where that is a lie. */
  heartbeat(lie?: number): void {
    const products = new Set([...this.#inForce.values()].flatMap((streams) => [...streams]));
    for (const stream of products) {
      if (!stream.startsWith('heartbeat:')) continue;
      const product = stream.slice('heartbeat:'.length);
      this.publish('heartbeat', aHeartbeat(lie ?? this.#tape(product).length, product));
    }
  }

  publish(channel: string, frame: Readonly<Record<string, unknown>>): void {
    for (const [socket, streams] of this.#inForce) {
      if (!streams.has(`${channel}:${String(frame['product_id'])}`)) continue;
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame));
    }
  }

  #tape(product: string): readonly Row[] {
    return this.#tapes.get(product) ?? [];
  }

  #take({ type, channels }: Request, socket: WebSocket): void {
    const streams = channels.flatMap(({ name, product_ids }) =>
      product_ids.map((product) => `${name}:${product}`),
    );
    this.requests.push([type, ...streams].join(' '));
    if (!this.isAnswering) return;
    const products = channels.flatMap(({ product_ids }) => product_ids);
    const bad = products.find((product) => this.unknown.has(product));
    if (bad !== undefined) {
      const reason = `${bad} is not a valid product`;
      socket.send(JSON.stringify({ type: 'error', message: 'Failed to subscribe', reason }));
      return;
    }
    const inForce = this.#inForce.get(socket) ?? new Set();
    for (const stream of streams) {
      if (type === 'subscribe') inForce.add(stream);
      else inForce.delete(stream);
    }
    const named = [...inForce].map((stream) => {
      const [name, product] = stream.split(':');
      return { name, product_ids: [product] };
    });
    socket.send(JSON.stringify({ type: 'subscriptions', channels: named }));
  }

  #answer({ pathname, searchParams }: URL): TwinAnswer {
    if (pathname === '/products' && this.products !== undefined) return { body: this.products };
    const product = /^\/products\/(?<product>[^/]+)\/trades$/u.exec(pathname)?.groups?.['product'];
    if (product === undefined) return { status: 404 };
    const after = Number(searchParams.get('after') ?? Infinity);
    const limit = Number(searchParams.get('limit') ?? 1000);
    const older = this.#tape(product).filter(({ trade_id: id }) => id < after);
    return { body: older.slice(-limit).toReversed() };
  }
}
