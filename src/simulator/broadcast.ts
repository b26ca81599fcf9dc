import { repeat } from '../base/clock.ts';
import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Connection } from './connection.ts';
import type { ActiveFaults } from './faults/active-faults.ts';
import type { Frame, TimeUnit } from './frame.ts';
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

/** Longer texts are not written into a recording's line: its readers have bounds. */
const maxLineLength = 1024 * 1024;

/** Sends the market's events to those who listen, when their time has come and in order of it. */
export class Broadcast implements Disposable {
  readonly #market: SimulatedMarket;
  readonly #subscribers: Subscribers;
  readonly #recorder: Recorder | undefined;
  readonly #faults: ActiveFaults;
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
      readonly faults: ActiveFaults;
    },
    { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#market = parts.market;
    this.#subscribers = parts.subscribers;
    this.#recorder = parts.recorder;
    this.#faults = parts.faults;
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
    const now = this.#sendMarket();
    // What faults held back until now goes out behind it.
    for (const frame of this.#faults.due()) this.#send(frame, now);
    return now;
  }

  #sendMarket(): Micros {
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
      this.#offer(frame);
    }
    return now;
  }

  /**
   * Sends a payload as it is to those who listen to the stream, but for what faults make of it;
   * returns how often it was sent.
   */
  sendNow(of: Pick<Frame, 'symbol' | 'kind' | 'tradeId'>, payload: string): number {
    const stream = streamOf(of.symbol, of.kind).name;
    return this.#offer({ ...of, stream, sentTime: this.#sentUntil, payload: () => payload });
  }

  /** Sends a payload that belongs to no stream to all who listen to any of the symbol's. */
  sendToSymbol(symbol: string, payload: string): number {
    const reached = new Set<Connection>();
    for (const { name } of streamKinds.map((kind) => streamOf(symbol, kind))) {
      const others = [...this.#subscribers.of(name)].filter((each) => !reached.has(each));
      if (others.length > 0) this.sendTo(others, name, () => payload);
      for (const connection of others) reached.add(connection);
    }
    return reached.size;
  }

  /** Sends an event to these connections whatever they listen to; returns to how many. */
  sendTo(
    receivers: Iterable<Connection>,
    stream: string,
    payload: (unit: TimeUnit) => string,
  ): number {
    return this.#deliver({ stream, payload, time: this.#sentUntil }, receivers);
  }

  /** Records what was written to clients without being an event; undefined: it is no line of text. */
  recordGarbage(text: string | undefined, bytes: number): void {
    const isLine = text !== undefined && text.length <= maxLineLength && !/[\r\n]/.test(text);
    const note = `{"stream":"!simulator","data":{"e":"unrecorded","bytes":${bytes}}}`;
    this.#recorder?.writeText(this.#sentUntil, isLine ? text : note);
  }

  #offer(frame: Frame): number {
    let count = 0;
    for (const each of this.#faults.pass(frame)) count += this.#send(each, frame.sentTime);
    return count;
  }

  /** Sends a frame, at its own time or a later one, to those who listen and may have it. */
  #send(frame: Frame, time: Micros): number {
    const { stream, payload } = frame;
    const receivers = [...this.#subscribers.of(stream)].filter(
      (connection) => !this.#faults.hides(frame, connection),
    );
    return this.#deliver({ stream, payload, time }, receivers);
  }

  #deliver(
    { stream, payload, time }: Pick<Frame, 'stream' | 'payload'> & { readonly time: Micros },
    receivers: Iterable<Connection>,
  ): number {
    const texts = new Map<TimeUnit, string>();
    const once = (unit: TimeUnit) => {
      const text = texts.get(unit) ?? payload(unit);
      texts.set(unit, text);
      return text;
    };
    let count = 0;
    for (const connection of receivers) if (connection.sendEvent(stream, once)) count += 1;
    if (count > 0) this.#recorder?.write({ time, stream, payload: once('ms') });
    return count;
  }
}
