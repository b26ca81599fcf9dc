import type { WebSocket } from 'ws';
import { isoTime } from './coinbase-frames.ts';
import { aKrakenTrade, aTickerFrame, aTradeFrame } from './kraken-frames.ts';
import type { TwinAnswer, TwinExchange } from './twin-exchange.ts';

type Request = {
  readonly method: 'subscribe' | 'unsubscribe';
  readonly params: { readonly channel: string; readonly symbol: readonly string[] };
};

type Row = {
  readonly id: number;
  readonly time: number;
  readonly price: string;
  readonly quantity: string;
};

/** Makes a twin exchange behave as Kraken does: it keeps a tape, and tells it unless told not to. */
export class TwinKraken {
  /** What clients have sent, as "subscribe trade:BTC/USD …". */
  readonly requests: string[] = [];
  /** Pairs that it does not know. */
  readonly unknown = new Set<string>();
  /** Whether it answers subscriptions at all. */
  isAnswering = true;
  /** What REST answers instead of a result. */
  error: string | undefined;
  /** The rows of `/0/public/AssetPairs`, by their altname. */
  pairs: Readonly<Record<string, object>> = { XBTUSD: {}, ETHUSD: {} };
  readonly #twin: TwinExchange;
  readonly #tape: Row[] = [];
  readonly #inForce = new Map<WebSocket, Set<string>>();
  #lastId = 0;

  constructor(twin: TwinExchange) {
    this.#twin = twin;
    twin.onConnect = (socket) => {
      this.#inForce.set(socket, new Set());
      socket.send('{"channel":"status","type":"update","data":[{"system":"online"}]}');
    };
    twin.onMessage = (text, socket) => this.#take(JSON.parse(text) as Request, socket);
    twin.answer = (url) => this.#answer(url);
  }

  /** Something trades: it is on the tape, and told `times` times to who subscribed it. */
  trade(time: number, times = 1, parts: { price?: string; quantity?: string } = {}): number {
    const id = ++this.#lastId;
    const { price = `${100 + (id % 10)}.0`, quantity = '1.0' } = parts;
    this.#tape.push({ id, time, price, quantity });
    const trade = aKrakenTrade({
      price,
      qty: quantity,
      trade_id: String(id),
      timestamp: `"${isoTime(time)}"`,
    });
    for (let count = 0; count < times; count++) this.publish('trade', aTradeFrame(trade));
    return id;
  }

  /** An id is given to nobody. */
  skipId(): void {
    this.#lastId++;
  }

  ticker(number: number): void {
    this.publish('ticker', aTickerFrame({ bid_qty: `${number}.0` }));
  }

  /** A second is over. */
  heartbeat(): void {
    this.#twin.send('{"channel":"heartbeat"}');
  }

  publish(channel: string, frame: string): void {
    for (const [socket, streams] of this.#inForce) {
      if (!streams.has(`${channel}:BTC/USD`)) continue;
      if (socket.readyState === socket.OPEN) socket.send(frame);
    }
  }

  #take({ method, params }: Request, socket: WebSocket): void {
    const { channel, symbol: pairs } = params;
    this.requests.push([method, ...pairs.map((pair) => `${channel}:${pair}`)].join(' '));
    if (!this.isAnswering) return;
    for (const symbol of pairs) {
      if (this.unknown.has(symbol)) {
        const error = `Currency pair not supported ${symbol}`;
        socket.send(JSON.stringify({ error, method, success: false, symbol }));
        continue;
      }
      const inForce = this.#inForce.get(socket);
      if (method === 'subscribe') inForce?.add(`${channel}:${symbol}`);
      else inForce?.delete(`${channel}:${symbol}`);
      socket.send(JSON.stringify({ method, result: { channel, symbol }, success: true }));
    }
  }

  #answer({ pathname, searchParams }: URL): TwinAnswer {
    if (this.error !== undefined) return { body: { error: [this.error] } };
    if (pathname === '/0/public/AssetPairs') return this.#listed(searchParams.get('pair') ?? '');
    if (pathname !== '/0/public/Trades') return { status: 404 };
    const count = Number(searchParams.get('count') ?? 1000);
    const since = searchParams.get('since');
    const rows =
      since === null
        ? this.#tape.slice(-count)
        : this.#tape.filter(({ time }) => BigInt(time) * 1000n > BigInt(since)).slice(0, count);
    const written = rows.map(
      ({ id, time, price, quantity }) =>
        `["${price}","${quantity}",${Math.floor(time / 1e6)}.${String(time % 1e6).padStart(6, '0')}9,"b","l","",${id}]`,
    );
    return { body: `{"error":[],"result":{"XXBTZUSD":[${written.join(',')}],"last":"0"}}` };
  }

  #listed(asked: string): TwinAnswer {
    const altnames = asked.split(',');
    if (altnames.some((altname) => this.pairs[altname] === undefined)) {
      return { body: { error: ['EQuery:Unknown asset pair'] } };
    }
    const rows = altnames.map((altname) => [`X${altname}`, { altname, ...this.pairs[altname] }]);
    return { body: { error: [], result: Object.fromEntries(rows) as unknown } };
  }
}
