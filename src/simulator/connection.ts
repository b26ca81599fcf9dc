import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { repeat } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { ClientLiveness } from './client-liveness.ts';
import type { ActiveFaults } from './faults/active-faults.ts';
import { endConnection } from './faults/connection-end.ts';
import type { NewConnectionEnd } from './faults/accept-then-close.ts';
import { combined } from './frame.ts';
import type { TimeUnit } from './frame.ts';
import { textFrame } from './raw-frame.ts';
import { answerRequest } from './stream-request.ts';
import type { Stream } from './stream.ts';
import type { Subscribers } from './subscribers.ts';

/** Binance's period (web-socket-streams.md). */
const pingPeriodMs = 20_000;

/** Bytes that may wait for a slow client; it is cut off beyond that. */
const maxWaitingBytes = 4 * 1024 * 1024;

/** One client's WebSocket. */
export class Connection {
  /** Whether events come wrapped with their stream's name. */
  isCombined: boolean;
  readonly streams = new Map<string, Stream>();
  /** When it was opened, by the monotonic clock. */
  readonly openedMs: number;
  readonly faults: ActiveFaults;
  readonly #unit: TimeUnit;
  readonly #socket: WebSocket;
  /** What the frames of the WebSocket are written to. */
  readonly #wire: Duplex;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #subscribers: Subscribers;
  readonly #liveness: ClientLiveness;
  /** Once it vanished, nothing is written or read any more; nor after half of a frame. */
  #state: 'open' | 'broken off' | 'vanished' = 'open';
  #sentFrames = 0;
  #newEnd: NewConnectionEnd | undefined;
  /** What was sent last, of which a cut within a frame sends one half again. */
  #lastText = '{"result":null,"id":0}';

  constructor(
    [socket, wire]: readonly [WebSocket, Duplex],
    form: { readonly isCombined: boolean; readonly unit: TimeUnit },
    surroundings: {
      readonly clock: Clock;
      readonly logger: Logger;
      readonly subscribers: Subscribers;
      readonly faults: ActiveFaults;
    },
  ) {
    this.isCombined = form.isCombined;
    this.openedMs = surroundings.clock.monotonicMs();
    this.faults = surroundings.faults;
    this.#unit = form.unit;
    this.#socket = socket;
    this.#wire = wire;
    this.#clock = surroundings.clock;
    this.#logger = surroundings.logger;
    this.#subscribers = surroundings.subscribers;
    this.#liveness = new ClientLiveness(surroundings.clock);

    const pinging = repeat(surroundings.clock, pingPeriodMs, () => this.#ping());
    socket.on('pong', () => {
      this.#liveness.answered();
      this.#countMessage();
    });
    socket.on('ping', () => this.#countMessage());
    socket.on('message', (data, isBinary) => {
      if (!this.#countMessage()) return;
      // The default binary type gives one Buffer per message.
      const text = isBinary || !Buffer.isBuffer(data) ? '' : data.toString('utf8');
      const answer = answerRequest(text, this);
      if (answer !== undefined) this.#write(answer);
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

  /** Sends an event of a stream in the form that this client asked for; false when it is not open. */
  sendEvent(stream: string, payload: (unit: TimeUnit) => string): boolean {
    const event = payload(this.#unit);
    if (!this.#write(this.isCombined ? combined(stream, event) : event)) return false;
    this.#sentFrames += 1;
    this.#endIfAsked();
    return true;
  }

  /** Sends an answer or an error. */
  sendAnswer(answer: string): void {
    this.#write(answer);
  }

  /** Writes bytes past the rules of WebSockets, and past the bound; false when it is not open. */
  sendBytes(bytes: Buffer): boolean {
    if (!this.#isWritable) return false;
    this.#wire.write(bytes);
    return true;
  }

  /** Ends the connection after its first events, or at once. */
  endAfter(end: NewConnectionEnd): void {
    this.#newEnd = end;
    this.#endIfAsked();
  }

  /** Ends the connection without a word, as a cut cable does. */
  cut(reason: string): void {
    this.#logger.info({ reason }, 'Cutting a connection');
    this.#socket.terminate();
  }

  /** Ends the connection after half of a frame's bytes. */
  cutMidFrame(): void {
    const frame = textFrame(Buffer.from(this.#lastText));
    if (!this.sendBytes(frame.subarray(0, Math.ceil(frame.length / 2)))) return;
    this.#state = 'broken off';
    // A client that does not read is cut off by its missing pong.
    this.#wire.end(() => this.cut('After half of a frame'));
  }

  /** Ends the connection with a RST. */
  reset(): void {
    if (this.#wire instanceof Socket) this.#wire.resetAndDestroy();
    else this.cut('A reset was asked for');
  }

  close(code: number, reason: string): void {
    if (this.#state === 'open') this.#socket.close(code, reason);
  }

  /** Neither writes nor reads from now on; the socket stays open until it is cut. */
  vanish(): void {
    this.#state = 'vanished';
    this.#socket.pause();
  }

  get #isWritable(): boolean {
    return this.#state === 'open' && this.#socket.readyState === this.#socket.OPEN;
  }

  #write(text: string): boolean {
    if (!this.#isWritable) return false;
    this.#socket.send(text);
    this.#lastText = text;
    if (this.#socket.bufferedAmount > maxWaitingBytes) this.cut('The client reads too slowly');
    return true;
  }

  #endIfAsked(): void {
    if (this.#newEnd === undefined || this.#sentFrames < this.#newEnd.afterFrames) return;
    endConnection(this, this.#newEnd.end);
    this.#newEnd = undefined;
  }

  #ping(): void {
    if (this.#state === 'vanished') return;
    if (!this.#liveness.pinged()) this.cut('No pong within a minute');
    else if (this.#isWritable) this.#socket.ping(String(this.#clock.now()));
  }

  /** Counts an incoming message; false when it was one too many and the connection is closing. */
  #countMessage(): boolean {
    if (this.#liveness.countMessage()) return true;
    this.#socket.close(1008, 'Too many requests');
    return false;
  }
}
