import type { WebSocket } from 'ws';
import { repeat } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { combined } from './frame.ts';
import type { TimeUnit } from './frame.ts';
import { answerRequest } from './stream-request.ts';
import type { Stream } from './stream.ts';
import type { Subscribers } from './subscribers.ts';

// Binance's numbers (web-socket-streams.md): a ping every 20 s, a minute for its pong, 5 incoming
// messages a second with pings and pongs among them.
const pingPeriodMs = 20_000;
const pongTimeoutMs = 60_000;
const maxMessagesPerSecond = 5;

/** Bytes that may wait for a slow client; it is cut off beyond that. */
const maxWaitingBytes = 4 * 1024 * 1024;

/** One client's WebSocket. */
export class Connection {
  /** Whether events come wrapped with their stream's name. */
  isCombined: boolean;
  readonly streams = new Map<string, Stream>();
  readonly #unit: TimeUnit;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #subscribers: Subscribers;
  /** When the first ping was sent that no pong has answered. */
  #unansweredSince: number | undefined;
  /** When the last messages came in, oldest first. */
  #messageTimes: number[] = [];

  constructor(
    socket: WebSocket,
    form: { readonly isCombined: boolean; readonly unit: TimeUnit },
    surroundings: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly subscribers: Subscribers;
    },
  ) {
    this.isCombined = form.isCombined;
    this.#unit = form.unit;
    this.#socket = socket;
    this.#clock = surroundings.clock;
    this.#logger = surroundings.logger;
    this.#subscribers = surroundings.subscribers;

    const pinging = repeat(this.#clock, pingPeriodMs, () => this.#ping());
    socket.on('pong', () => {
      this.#unansweredSince = undefined;
      this.#countMessage();
    });
    socket.on('ping', () => this.#countMessage());
    socket.on('message', (data, isBinary) => {
      if (!this.#countMessage()) return;
      // The default binary type gives one Buffer per message.
      const text = isBinary || !Buffer.isBuffer(data) ? '' : data.toString('utf8');
      this.#write(answerRequest(text, this));
    });
    socket.on('error', (error) => this.#logger.debug({ err: error }, 'WebSocket failed'));
    socket.on('close', () => {
      pinging[Symbol.dispose]();
      for (const stream of this.streams.values()) this.#subscribers.remove(stream, this);
      this.streams.clear();
    });
  }

  subscribe(stream: Stream): void {
    if (this.streams.has(stream.name)) return;
    this.streams.set(stream.name, stream);
    this.#subscribers.add(stream, this);
  }

  /** Whether the simulator takes these in addition to all that is listened to. */
  hasRoomFor(streams: readonly Stream[]): boolean {
    return this.#subscribers.hasRoomFor(streams);
  }

  unsubscribe(name: string): void {
    const stream = this.streams.get(name);
    if (stream === undefined) return;
    this.streams.delete(name);
    this.#subscribers.remove(stream, this);
  }

  /** Sends an event of a stream in the form that this client asked for. */
  sendEvent(stream: string, payload: (unit: TimeUnit) => string): void {
    const event = payload(this.#unit);
    this.#write(this.isCombined ? combined(stream, event) : event);
  }

  /** Sends an answer or an error. */
  sendAnswer(answer: string): void {
    this.#write(answer);
  }

  /** Ends the connection without a word, as a cut cable does. */
  cut(reason: string): void {
    this.#logger.info({ reason }, 'Cutting a connection');
    this.#socket.terminate();
  }

  #write(text: string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#socket.send(text);
    if (this.#socket.bufferedAmount > maxWaitingBytes) this.cut('The client reads too slowly');
  }

  #ping(): void {
    const now = this.#clock.monotonicMs();
    if (this.#unansweredSince !== undefined && now - this.#unansweredSince >= pongTimeoutMs) {
      this.cut('No pong within a minute');
      return;
    }
    this.#unansweredSince ??= now;
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.ping(String(this.#clock.now()));
  }

  /** Counts an incoming message; false when it was one too many and the connection is closing. */
  #countMessage(): boolean {
    const now = this.#clock.monotonicMs();
    this.#messageTimes = this.#messageTimes.filter((time) => now - time < 1000);
    this.#messageTimes.push(now);
    if (this.#messageTimes.length <= maxMessagesPerSecond) return true;
    this.#socket.close(1008, 'Too many requests');
    return false;
  }
}
