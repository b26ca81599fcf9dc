import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { ActiveFaults } from './faults/active-faults.ts';
import { priceLine } from './line-prices.ts';
import type { LinePrices } from './line-prices.ts';

/**
 * Bytes that may wait for a slow client; it is cut off beyond that. What is sent late after a stop, at
 * the highest rate, has half of it.
 */
const maxWaitingBytes = 16 * 1024 * 1024;
/** Clients at once; beyond that new ones are closed. */
const maxClients = 1000;
/** After a stop of the process no more than this is sent late: such an exchange has no history. */
const maxCatchUp: Micros = 1_000_000;

export type LineExchangeOptions = {
  readonly name: string;
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly prices: LinePrices;
  readonly faults: ActiveFaults;
  /** Everything before it was sent. */
  readonly now: Micros;
  readonly logger: Logger;
};

/** How a client is cut off: with a FIN, with one after half of a line, or with a RST. */
export type LineCut = 'abrupt' | 'midLine' | 'reset';

/** A TCP port that pushes prices as JSON lines to everybody who connects, and takes nothing. */
export class LineExchange implements AsyncDisposable {
  readonly name: string;
  /** The same after it was closed for a while. */
  readonly port: number;
  /** Lines that were sent, as often as there were clients. */
  sent = 0;
  readonly #options: LineExchangeOptions;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  /** Symbols whose prices are told by hand. */
  readonly #paused = new Set<string>();
  #sentUntil: Micros;

  private constructor(options: LineExchangeOptions, server: Server) {
    this.name = options.name;
    this.#options = options;
    this.#server = server;
    this.#sentUntil = options.now;
    this.port = (server.address() as AddressInfo).port;
    server.maxConnections = maxClients;
    server.on('connection', (socket) => this.#welcome(socket));
    server.on('error', (err) => options.logger.warn({ err, port: this.port }, 'Not listening'));
  }

  /** @throws Error when it cannot listen there */
  static async open(options: LineExchangeOptions): Promise<LineExchange> {
    const server = createServer();
    server.listen(options.port, options.host);
    await once(server, 'listening');
    return new LineExchange(options, server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.#clients) client.destroy();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  get symbols(): readonly string[] {
    return this.#options.prices.symbols;
  }

  /** What GET /control shows of it. */
  state(): unknown {
    const { port, sent } = this;
    const paused = [...this.#paused];
    const isListening = this.#server.listening;
    return { port, isListening, connections: this.#clients.size, sent, paused };
  }

  /** Sends what has become due, and opens or closes its port as faults want it. */
  sendDue(now: Micros): void {
    const { prices, faults } = this.#options;
    this.#obey(faults.closesExchange(this.name));
    const from = Math.max(this.#sentUntil, now - maxCatchUp);
    if (now <= from) return;
    this.#sentUntil = now;
    if (this.#clients.size === 0) return;
    const end = prices.updatesBefore(now);
    let text = '';
    let lines = 0;
    for (let number = prices.updatesBefore(from); number < end; number++) {
      const { symbol, price, time } = prices.update(number);
      if (this.#paused.has(symbol) || faults.stallsExchange(this.name, symbol)) continue;
      text += priceLine(symbol, price, Math.floor(time / 1000));
      lines++;
    }
    if (lines > 0) this.#send(text, lines);
  }

  /** Pauses a symbol's own prices and sends this one in their place; returns to how many. */
  inject(symbol: string, price: string, timestamp: number): number {
    this.#paused.add(symbol);
    if (this.#options.faults.stallsExchange(this.name, symbol)) return 0;
    this.#send(priceLine(symbol, price, timestamp), 1);
    return this.#clients.size;
  }

  resume(symbol: string): void {
    this.#paused.delete(symbol);
  }

  /** Writes bytes just as they are; returns to how many. */
  write(bytes: Buffer): number {
    for (const client of this.#clients) client.write(bytes);
    return this.#clients.size;
  }

  /** Cuts all clients off; returns how many there were. */
  cut(how: LineCut): number {
    const { size } = this.#clients;
    for (const client of this.#clients) {
      if (how === 'reset') client.resetAndDestroy();
      else if (how === 'midLine') client.end('{"symbol":"');
      else client.end();
    }
    return size;
  }

  #welcome(socket: Socket): void {
    this.#clients.add(socket);
    socket.setNoDelay();
    // Nothing is read, but its end is noticed.
    socket.resume();
    socket.on('error', (err) => this.#options.logger.debug({ err }, 'A client failed'));
    socket.on('close', () => this.#clients.delete(socket));
  }

  #send(text: string, lines: number): void {
    for (const client of this.#clients) {
      if (!client.writable) continue;
      client.write(text);
      this.sent += lines;
      if (client.writableLength > maxWaitingBytes) client.destroy();
    }
  }

  /** Those that are connected stay so while new ones are refused. */
  #obey(isClosed: boolean): void {
    if (isClosed === !this.#server.listening) return;
    if (isClosed) this.#server.close();
    else this.#server.listen(this.port, this.#options.host);
  }
}
