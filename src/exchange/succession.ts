import { backoffDelayMs } from '../base/backoff.ts';
import type { BackoffBounds } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { Allowance } from './allowance.ts';
import type { Exchange } from './exchange.ts';
import type { Session } from './session.ts';
import { stopOf } from './stop.ts';
import type { WebSocketEnd } from './websocket.ts';

export type SuccessionSettings = {
  readonly backoff: BackoffBounds;
  /** How long an address that forbids access is left alone where it names no time. */
  readonly stopMs: number;
  /** A connection is replaced after so long, give or take the jitter; */
  readonly replaceAfterMs: number;
  readonly replaceJitterMs: number;
  /** and so long before the exchange cuts it at the latest. */
  readonly replaceLeadMs: number;
  /** A successor that delivers nothing for so long while the one before it does is dropped. */
  readonly successorPatienceMs: number;
  /** Connections are not replaced for dead symbols more often than this. */
  readonly replaceForDeadEveryMs: number;
};

export type SuccessionOptions = {
  readonly name: string;
  /** Opens a session beside the one in charge. */
  readonly open: () => Session;
  /** Puts it in charge. */
  readonly promote: (session: Session) => void;
  readonly signal: AbortSignal;
  readonly exchange: Exchange;
  readonly connects: Allowance;
  readonly settings: SuccessionSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
};

/** A session that is to take another one's place. */
type Successor = {
  readonly session: Session;
  /** The one before it, and how many data frames that had when this one was begun. */
  readonly before: Session;
  readonly dataFramesBefore: number;
  readonly prove: () => void;
};

/**
 * Replaces the session in charge without a break: the next one is opened, must show that it
 * delivers, and only then takes the place of the one before it. Where no next one can be opened, the
 * old one stays until it is cut. There is never more than one successor.
 */
export class Succession {
  readonly #options: SuccessionOptions;
  readonly #lifeMs: number;
  #successor: Successor | undefined;
  /** The session for which a successor is sought. */
  #outlived: Session | undefined;
  readonly #searches = new Set<Promise<void>>();
  #lastForDeadMs = -Infinity;

  constructor(options: SuccessionOptions) {
    const { settings, exchange, random } = options;
    this.#options = options;
    const { replaceAfterMs, replaceJitterMs, replaceLeadMs } = settings;
    const latestMs = exchange.facts.limits.connectionLifeMs - replaceLeadMs;
    // Each connection at a time of its own, or all of a day's would come together.
    this.#lifeMs = Math.min(replaceAfterMs + (random() * 2 - 1) * replaceJitterMs, latestMs);
  }

  /** To be called at each tick of the session in charge. */
  tick(session: Session): void {
    if (session.openedForMs >= this.#lifeMs) this.seek(session, 'It has nearly reached its age');
  }

  /** Begins to replace a session, unless that is under way. */
  seek(session: Session, reason: string): void {
    if (this.#outlived === session || this.#options.signal.aborted) return;
    this.#outlived = session;
    const { logger } = this.#options;
    logger.info({ connection: session.connection, reason }, 'Replacing a connection');
    const search = this.#search(session).finally(() => this.#searches.delete(search));
    this.#searches.add(search);
  }

  /** Replaces a session because of dead symbols, at most so often. */
  seekForDead(session: Session, reason: string): void {
    const { clock, settings } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#lastForDeadMs < settings.replaceForDeadEveryMs) return;
    this.#lastForDeadMs = nowMs;
    this.seek(session, reason);
  }

  /** The successor on its way, which is none any more: the one before it has ended. */
  take(): Session | undefined {
    const { session } = this.#successor ?? {};
    this.#successor = undefined;
    return session;
  }

  /** To be called at each tick of a successor: decides whether it can take over. */
  judge(session: Session): void {
    const successor = this.#successor;
    if (successor?.session !== session) return;
    const { liveness, isChecked } = session;
    if (isChecked && liveness.dataFrames > 0) return successor.prove();
    const { successorPatienceMs } = this.#options.settings;
    if (liveness.openMs < successorPatienceMs) return;
    const { before, dataFramesBefore } = successor;
    // A quiet market: neither of them has got anything.
    if (isChecked && before.liveness.dataFrames === dataFramesBefore) return successor.prove();
    session.terminate('It delivers nothing, unlike the connection before it');
  }

  /** Where an end says that the address is to be left alone, nobody connects for a while. */
  heed(end: WebSocketEnd): void {
    const { connects, settings, clock } = this.#options;
    const stop = stopOf(
      { status: end.status ?? 0, retryAfter: end.retryAfter },
      { stopMs: settings.stopMs, now: clock.now() },
    );
    if (stop !== undefined) connects.stop(stop);
  }

  /** Settles when nothing is under way any more; to be called after the signal was aborted. */
  async over(): Promise<void> {
    await Promise.all(this.#searches);
  }

  async #search(before: Session): Promise<void> {
    const { connects, settings, clock, random, signal } = this.#options;
    try {
      for (let failures = 0; !before.hasEnded;) {
        const waitMs = connects.take();
        if (waitMs > 0) {
          await sleep(clock, waitMs + backoffDelayMs(0, settings.backoff, random), signal);
          continue;
        }
        const end = await this.#try(before);
        if (end === undefined) return;
        this.#log(before, end.reason);
        await sleep(clock, backoffDelayMs(failures++, settings.backoff, random), signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Opens one successor; returns how it ended, or nothing once the matter is settled. */
  async #try(before: Session): Promise<WebSocketEnd | undefined> {
    const { open, promote, signal } = this.#options;
    const session = open();
    const { promise: proven, resolve } = Promise.withResolvers<undefined>();
    const prove = () => resolve(undefined);
    const dataFramesBefore = before.liveness.dataFrames;
    this.#successor = { session, before, dataFramesBefore, prove };
    const end = await Promise.race([proven, session.ended]);
    if (signal.aborted) return undefined;
    if (end === undefined) {
      // Where the one before it has just ended, `take` puts this one in its place.
      if (before.hasEnded || this.#successor?.session !== session) return undefined;
      promote(session);
    } else this.heed(end);
    if (this.#successor?.session === session) this.#successor = undefined;
    return end;
  }

  #log({ connection }: Session, reason: string): void {
    this.#options.logger.warn({ connection, reason }, 'A connection could not be replaced yet');
  }
}
