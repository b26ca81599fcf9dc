import { sleep } from '../base/clock.ts';
import { Allowance } from './allowance.ts';
import type { ControlMessage, MessageRequests } from './exchange.ts';
import type { StreamKeeper, StreamKeeperOptions } from './stream-keeper.ts';

export type MessageSubscriptionsOptions = StreamKeeperOptions & {
  readonly requests: MessageRequests;
  /** Told once, when the first streams are in force. What is not by then is `unavailable`. */
  readonly begun: () => void;
  /** Told instead where none comes into force. */
  readonly failed: (reason: string) => void;
};

/**
 * Keeps streams that are asked for in messages: all together when the connection is up, and then
 * each symbol by itself that was not confirmed, for one bad name makes some exchanges refuse them
 * all. What is not in force is asked for again every few minutes.
 */
export class MessageSubscriptions implements StreamKeeper {
  isChecked = false;
  readonly #options: MessageSubscriptionsOptions;
  readonly #messages: Allowance;
  readonly #closing = new AbortController();
  readonly #inForce = new Set<string>();
  /** Why streams are not in force, as the exchange says. */
  readonly #refusals = new Map<string, string>();
  readonly #missing = new Map<string, string>();
  readonly #renewals = new Set<string>();
  /** The streams that were asked for last. */
  #asked: readonly string[] = [];
  #hasBegun = false;
  #isBusy = false;
  #nextAuditMs: number;
  #changed = () => {};

  constructor(options: MessageSubscriptionsOptions) {
    const { settings, clock } = options;
    this.#options = options;
    this.#messages = new Allowance(clock, { limit: settings.requestsPerSecond, windowMs: 1000 });
    this.#nextAuditMs = clock.monotonicMs() + settings.auditEveryMs;
    void this.#perform(() => this.#begin());
  }

  get unavailable(): ReadonlyMap<string, string> {
    return this.#missing;
  }

  renew(symbol: string): void {
    this.#renewals.add(symbol);
  }

  take(message: ControlMessage): void {
    if (message.type === 'inForce') {
      if (message.isAll) this.#inForce.clear();
      for (const stream of message.streams) this.#inForce.add(stream);
    } else if (message.type === 'ended') {
      for (const stream of message.streams) this.#inForce.delete(stream);
    } else if (message.type === 'refused') {
      const refused = message.streams ?? this.#asked;
      for (const stream of refused) this.#refusals.set(stream, message.error);
    }
    this.#changed();
  }

  tick(): void {
    if (this.#isBusy || !this.#hasBegun || this.#closing.signal.aborted) return;
    const [symbol] = this.#renewals;
    if (symbol !== undefined) {
      void this.#perform(() => this.#renew(symbol));
      return;
    }
    const { clock, settings } = this.#options;
    const lacking = this.#lacking();
    // The exchange may end a stream of its own accord.
    const isNew = lacking.some((symbol) => !this.#missing.has(symbol));
    if (!isNew && clock.monotonicMs() < this.#nextAuditMs) return;
    this.#nextAuditMs = clock.monotonicMs() + settings.auditEveryMs;
    void this.#perform(() => this.#bringEach(lacking));
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
    this.#changed();
  }

  async #perform(act: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    try {
      await act();
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    } finally {
      this.#isBusy = false;
    }
  }

  async #begin(): Promise<void> {
    await this.#bring(this.#lacking());
    if (this.#inForce.size === 0 && this.#refusals.size === 0) {
      this.#options.failed('The exchange does not answer the subscription');
      return;
    }
    // Of those that were refused together most have nothing to do with it.
    this.#refusals.clear();
    await this.#bringEach(this.#lacking());
    if (this.#hasBegun) this.isChecked = true;
    else this.#options.failed(`The exchange delivers nothing: ${[...this.#refusals.values()][0]}`);
  }

  async #bringEach(symbols: readonly string[]): Promise<void> {
    this.#tell();
    for (const symbol of symbols) {
      await this.#bring([symbol]);
      this.#tell();
      this.#warn(symbol);
    }
  }

  async #renew(symbol: string): Promise<void> {
    const { requests } = this.#options;
    const streams = this.#streamsOf([symbol]);
    const areGone = () => !streams.some((stream) => this.#inForce.has(stream));
    await this.#ask(requests.unsubscribe(streams), areGone);
    for (const stream of streams) this.#inForce.delete(stream);
    await this.#bring([symbol]);
    this.#renewals.delete(symbol);
    // It waits for word, whatever was known before.
    this.#missing.set(symbol, 'Its subscription is made anew');
    this.#tell();
  }

  /** Asks for all streams of these symbols, until each is confirmed or refused, or for a while. */
  async #bring(symbols: readonly string[]): Promise<void> {
    const streams = this.#streamsOf(symbols).filter((stream) => !this.#inForce.has(stream));
    if (streams.length === 0) return;
    for (const stream of streams) this.#refusals.delete(stream);
    this.#asked = streams;
    const isAnswered = (stream: string) => this.#inForce.has(stream) || this.#refusals.has(stream);
    const messages = this.#options.requests.subscribe(streams);
    await this.#ask(messages, () => streams.every(isAnswered));
  }

  async #ask(messages: readonly string[], isAnswered: () => boolean): Promise<void> {
    const { clock, settings, send } = this.#options;
    const { signal } = this.#closing;
    for (const text of messages) {
      for (let waitMs = this.#messages.take(); waitMs > 0; waitMs = this.#messages.take()) {
        await sleep(clock, waitMs, signal);
      }
      signal.throwIfAborted();
      send(text);
    }
    const timeout = new AbortController();
    using _timer = clock.setTimer(settings.requestTimeoutMs, () => {
      timeout.abort();
      this.#changed();
    });
    while (!timeout.signal.aborted && !isAnswered()) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
      signal.throwIfAborted();
    }
  }

  /** Tells what has come into force, and what is missing, since the last time. */
  #tell(): void {
    const { subscription, begun } = this.#options;
    const lacking = new Set(this.#lacking());
    for (const symbol of subscription.symbols) {
      if (lacking.has(symbol)) this.#miss(symbol);
      else if (this.#missing.delete(symbol) && this.#hasBegun) this.#options.inForce(symbol);
    }
    if (this.#hasBegun || this.#inForce.size === 0) return;
    this.#hasBegun = true;
    begun();
  }

  #miss(symbol: string): void {
    const reason = this.#reasonOf(symbol);
    if (this.#missing.get(symbol) === reason) return;
    this.#missing.set(symbol, reason);
    if (this.#hasBegun) this.#options.missing(symbol, reason);
  }

  #reasonOf(symbol: string): string {
    for (const stream of this.#streamsOf([symbol])) {
      const refusal = this.#refusals.get(stream);
      if (refusal !== undefined && !this.#inForce.has(stream)) return refusal;
    }
    return 'The exchange does not confirm its subscription';
  }

  #lacking(): readonly string[] {
    const { symbols } = this.#options.subscription;
    return symbols.filter((symbol) =>
      this.#streamsOf([symbol]).some((stream) => !this.#inForce.has(stream)),
    );
  }

  #streamsOf(symbols: readonly string[]): readonly string[] {
    return symbols.flatMap((symbol) => this.#options.subscription.streams.get(symbol) ?? []);
  }

  #warn(symbol: string): void {
    const { logger, logLimiter } = this.#options;
    const reason = this.#missing.get(symbol);
    if (reason === undefined) return;
    const due = logLimiter.due(`missing ${symbol}`);
    if (due !== undefined) logger.warn({ symbol, reason, ...due }, 'A symbol is not delivered');
  }
}
