import { Allowance } from './allowance.ts';
import { ControlRequests } from './control-requests.ts';
import type { ControlMessage, UrlRequests } from './exchange.ts';
import type { StreamKeeper, StreamKeeperOptions } from './stream-keeper.ts';

export type SubscriptionKeeperOptions = StreamKeeperOptions & { readonly requests: UrlRequests };

/**
 * Keeps streams that the connection's URL names: asks the exchange right after the opening and every
 * few minutes which are in force, and subscribes again what it does not name. An exchange that does
 * not answer is believed; data and REST tell whether it delivers.
 */
export class SubscriptionKeeper implements StreamKeeper {
  readonly #options: SubscriptionKeeperOptions;
  readonly #requests: ControlRequests;
  readonly #closing = new AbortController();
  /** Symbols whose subscription is to be made anew. */
  readonly #renewals = new Set<string>();
  readonly #missing = new Map<string, string>();
  #nextAuditMs = 0;
  #isBusy = false;
  #isChecked = false;

  constructor(options: SubscriptionKeeperOptions) {
    const { settings, clock, send } = options;
    this.#options = options;
    this.#requests = new ControlRequests({
      clock,
      send,
      messages: new Allowance(clock, { limit: settings.requestsPerSecond, windowMs: 1000 }),
      timeoutMs: settings.requestTimeoutMs,
      signal: this.#closing.signal,
    });
    this.tick();
  }

  get isChecked(): boolean {
    return this.#isChecked;
  }

  get unavailable(): ReadonlyMap<string, string> {
    return this.#missing;
  }

  renew(symbol: string): void {
    this.#renewals.add(symbol);
  }

  take(message: ControlMessage): void {
    if (message.type === 'response') this.#requests.take(message);
  }

  tick(): void {
    if (this.#isBusy) return;
    const [symbol] = this.#renewals;
    const nowMs = this.#options.clock.monotonicMs();
    if (symbol !== undefined) void this.#perform(() => this.#renew(symbol));
    else if (nowMs >= this.#nextAuditMs) void this.#perform(() => this.#audit());
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
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

  async #audit(): Promise<void> {
    const { settings, clock } = this.#options;
    this.#nextAuditMs = clock.monotonicMs() + settings.auditEveryMs;
    let errors: ReadonlyMap<string, string> = new Map();
    for (let attempt = 0; ; attempt++) {
      const lacking = await this.#listMissing();
      if (lacking === undefined || lacking.size === 0) break;
      for (const [symbol, streams] of lacking) {
        this.#miss(
          symbol,
          errors.get(symbol) ?? `The exchange does not name ${streams.join(', ')}`,
        );
      }
      if (attempt >= settings.subscribeAttempts) break;
      errors = await this.#subscribe(lacking, attempt === 0);
    }
    this.#isChecked = true;
  }

  /** The streams that are not in force, by symbol; undefined where the exchange does not say. */
  async #listMissing(): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
    const { requests, subscription } = this.#options;
    const { streams, error } = await this.#requests.ask((id) => requests.list(id));
    if (streams === undefined) {
      this.#warn('The exchange does not say what is subscribed', { error });
      return undefined;
    }
    const listed = new Set(streams);
    const missing = new Map<string, readonly string[]>();
    for (const [symbol, wanted] of subscription.streams) {
      const lacking = wanted.filter((stream) => !listed.has(stream));
      if (lacking.length > 0) missing.set(symbol, lacking);
      else this.#find(symbol);
    }
    return missing;
  }

  /** All in one request; then each by itself, for one bad name makes the exchange refuse them all. */
  async #subscribe(
    lacking: ReadonlyMap<string, readonly string[]>,
    isTogether: boolean,
  ): Promise<ReadonlyMap<string, string>> {
    const { requests } = this.#options;
    this.#warn('Subscribing again what was not in force', { symbols: [...lacking.keys()] });
    const errors = new Map<string, string>();
    for (const streams of isTogether ? [[...lacking.values()].flat()] : lacking.values()) {
      const { error } = await this.#requests.ask((id) => requests.subscribe(id, streams));
      if (error === undefined) continue;
      for (const [symbol, own] of lacking) {
        if (own.some((stream) => streams.includes(stream))) errors.set(symbol, error);
      }
    }
    return errors;
  }

  async #renew(symbol: string): Promise<void> {
    const { requests, subscription } = this.#options;
    const streams = subscription.streams.get(symbol) ?? [];
    // What is not subscribed cannot be ended: only the second answer matters.
    await this.#requests.ask((id) => requests.unsubscribe(id, streams));
    const { error } = await this.#requests.ask((id) => requests.subscribe(id, streams));
    this.#renewals.delete(symbol);
    if (error !== undefined) {
      this.#miss(symbol, error);
      return;
    }
    this.#missing.delete(symbol);
    const lacking = await this.#listMissing();
    const still = lacking?.get(symbol);
    if (still === undefined) this.#options.inForce(symbol);
    else this.#miss(symbol, `The exchange does not name ${still.join(', ')}`);
  }

  #miss(symbol: string, reason: string): void {
    this.#missing.set(symbol, reason);
    this.#options.missing(symbol, reason);
  }

  #find(symbol: string): void {
    if (this.#missing.delete(symbol)) this.#options.inForce(symbol);
  }

  #warn(message: string, fields: Readonly<Record<string, unknown>>): void {
    const { logger, logLimiter } = this.#options;
    const due = logLimiter.due(message);
    if (due !== undefined) logger.warn({ ...fields, ...due }, message);
  }
}
