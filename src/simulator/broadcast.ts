import { repeat } from '../base/clock.ts';
import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Connection } from './connection.ts';
import type { TimeUnit } from './frame.ts';
import type { Recorder } from './recording.ts';
import type { SimulatedMarket } from './simulated-market.ts';
import { streamKinds, streamOf } from './stream.ts';
import type { Subscribers } from './subscribers.ts';

/** How often what has become due is sent: below a person's and most clients' notice. */
const periodMs = 10;

/**
 * After a stop of the process what was missed is sent late. A stop longer than this is like an
 * exchange's own: everybody is cut off, and has REST to catch up with.
 */
const maxCatchUpMicros = 60_000_000;

/** Sends the market's events to those who listen, when their time has come and in order of it. */
export class Broadcast implements Disposable {
  readonly #market: SimulatedMarket;
  readonly #subscribers: Subscribers;
  readonly #recorder: Recorder | undefined;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #timer: Disposable;
  /** Everything up to this instant has been sent. */
  #sentUntil: Micros;

  constructor(
    parts: {
      readonly market: SimulatedMarket;
      readonly subscribers: Subscribers;
      readonly recorder: Recorder | undefined;
    },
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#market = parts.market;
    this.#subscribers = parts.subscribers;
    this.#recorder = parts.recorder;
    this.#clock = clock;
    this.#logger = logger;
    this.#sentUntil = clock.now();
    this.#timer = repeat(clock, periodMs, () => this.sendDue());
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  /**
   * Sends what has become due and returns the instant up to which that is. Whatever asks or changes
   * the market does this first, so that REST never knows more than the streams have told.
   */
  sendDue(): Micros {
    const now = this.#clock.now();
    const from = this.#sentUntil;
    // A clock that was set back: nothing is sent twice, it is waited for.
    if (now <= from) return from;
    this.#sentUntil = now;
    if (now - from > maxCatchUpMicros) {
      this.#logger.warn({ behindMs: (now - from) / 1000 }, 'Too far behind, cutting all off');
      for (const connection of this.#subscribers.all()) connection.cut('Too far behind');
      return now;
    }
    for (const frame of this.#market.frames(this.#subscribers.kinds, from, now)) {
      this.#send(frame.stream, frame.sentTime, frame.payload, this.#subscribers.of(frame.stream));
    }
    return now;
  }

  /** Sends a payload as it is to those who listen to the stream; returns to how many. */
  sendNow(stream: string, payload: string): number {
    return this.#send(stream, this.#sentUntil, () => payload, this.#subscribers.of(stream));
  }

  /** Sends a payload that belongs to no stream to all who listen to any of the symbol's. */
  sendToSymbol(symbol: string, payload: string): number {
    const reached = new Set<Connection>();
    for (const { name } of streamKinds.map((kind) => streamOf(symbol, kind))) {
      const others = [...this.#subscribers.of(name)].filter((each) => !reached.has(each));
      if (others.length > 0) this.#send(name, this.#sentUntil, () => payload, others);
      for (const connection of others) reached.add(connection);
    }
    return reached.size;
  }

  #send(
    stream: string,
    time: Micros,
    payload: (unit: TimeUnit) => string,
    receivers: Iterable<Connection>,
  ): number {
    const texts = new Map<TimeUnit, string>();
    const once = (unit: TimeUnit) => {
      const text = texts.get(unit) ?? payload(unit);
      texts.set(unit, text);
      return text;
    };
    let count = 0;
    for (const connection of receivers) {
      connection.sendEvent(stream, once);
      count += 1;
    }
    if (count > 0) this.#recorder?.write({ time, stream, payload: once('ms') });
    return count;
  }
}
