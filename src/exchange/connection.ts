import { backoffDelayMs } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import { instrumentName } from '../domain/instrument.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Allowance } from './allowance.ts';
import type { ConnectionState, ConnectionStatus } from './connection-status.ts';
import type { DecoderCounters, Subscription } from './exchange.ts';
import { Session } from './session.ts';
import type { SessionSurroundings } from './session.ts';
import { Succession } from './succession.ts';

/** What all connections of a feed share. */
export type ConnectionSurroundings = SessionSurroundings & { readonly connects: Allowance };

/**
 * Keeps one subscription alive: connects, listens, comes back after every end, and has a connection
 * that is about to end replaced while it still delivers.
 */
export class Connection implements AsyncDisposable {
  /** How often a connection was opened. */
  openings = 0;
  readonly #surroundings: ConnectionSurroundings;
  readonly #subscription: Subscription;
  readonly #closing = new AbortController();
  readonly #succession: Succession;
  readonly #running: Promise<void>;
  /** Those of the sessions that have ended. */
  readonly #counters: DecoderCounters = { frames: 0, ignored: 0, bad: 0 };
  readonly #sessions = new Set<Session>();
  /** The one in charge. */
  #session: Session | undefined;
  #status: ConnectionStatus;

  constructor(surroundings: ConnectionSurroundings, name: string, subscription: Subscription) {
    const { exchangeName, clock } = surroundings;
    this.#surroundings = surroundings;
    this.#subscription = subscription;
    this.#status = {
      name,
      instruments: subscription.symbols.map((symbol) => instrumentName(exchangeName, symbol)),
      state: 'connecting',
      reason: 'Starting',
      since: clock.now(),
      attempts: 0,
      nextAttempt: undefined,
    };
    this.#succession = new Succession({
      ...surroundings,
      name,
      open: () => this.#openSession(),
      promote: (session) => this.#promote(session),
      signal: this.#closing.signal,
    });
    this.#running = this.#run();
  }

  status(): ConnectionStatus {
    return this.#status;
  }

  /** Why instruments are not delivered although the connection is open. */
  get troubles(): ReadonlyMap<InstrumentName, string> {
    return this.#session?.troubles ?? new Map<InstrumentName, string>();
  }

  get counters(): DecoderCounters {
    const sum = { ...this.#counters };
    for (const { counters } of this.#sessions) add(sum, counters);
    return sum;
  }

  /** After this nothing is told any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const session of this.#sessions) session.terminate('Closed by us');
    await Promise.all([this.#running, this.#succession.over()]);
  }

  async #run(): Promise<void> {
    const { settings, random } = this.#surroundings;
    const { signal } = this.#closing;
    try {
      for (;;) {
        const session = this.#session ?? (await this.#connect());
        const end = await session.ended;
        if (signal.aborted) return;
        // Replaced: its successor is in charge.
        if (this.#session !== session) continue;
        session.tellEnd(end.reason);
        this.#session = undefined;
        const successor = this.#succession.take();
        if (successor !== undefined) {
          this.#become('connecting', end.reason);
          this.#promote(successor);
          continue;
        }
        this.#succession.heed(end);
        const { attempts } = this.#status;
        const delayMs = backoffDelayMs(Math.max(0, attempts - 1), settings.backoff, random);
        await this.#wait(end.reason, delayMs);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #connect(): Promise<Session> {
    await this.#waitForAllowance();
    this.#closing.signal.throwIfAborted();
    this.#become('connecting', this.#status.reason, { attempts: this.#status.attempts + 1 });
    this.#session = this.#openSession();
    return this.#session;
  }

  /** Waits until the address allows an attempt, which is then taken. */
  async #waitForAllowance(): Promise<void> {
    const { connects, settings, random } = this.#surroundings;
    for (;;) {
      const waitMs = connects.take();
      if (waitMs === 0) return;
      const isStopped = connects.currentStop !== undefined;
      const delayMs = isStopped ? backoffDelayMs(0, settings.backoff, random) : waitMs;
      await this.#wait('All attempts that the address allows are used', delayMs);
    }
  }

  /** A stop comes before any other reason, and holds back all connections to the address. */
  async #wait(why: string, backoffMs: number): Promise<void> {
    const { connects, clock, logger, logLimiter } = this.#surroundings;
    const stop = connects.currentStop;
    const reason = stop?.reason ?? why;
    // The jitter goes on top, so that not all come back in the moment in which a stop ends.
    const delayMs = Math.round((stop?.durationMs ?? 0) + backoffMs);
    this.#become(stop === undefined ? 'waiting' : 'refused', reason, {
      nextAttempt: clock.now() + delayMs * 1000,
    });
    const { name, attempts } = this.#status;
    const due = logLimiter.due(`${name}: ${reason}`);
    if (due !== undefined) {
      logger.warn({ connection: name, reason, attempts, delayMs, ...due }, 'Reconnecting');
    }
    await sleep(clock, delayMs, this.#closing.signal);
  }

  #openSession(): Session {
    // There are never more than two.
    for (const session of this.#sessions) {
      if (session.isRetiring) session.terminate('Another connection is opened');
    }
    const session: Session = new Session(this.#surroundings, this.#subscription, {
      opening: () => `${this.#status.name}.${++this.openings}`,
      opened: () => {
        if (this.#session === session) this.#promote(session);
      },
      outlived: (reason) => this.#outlive(session, reason),
      unmendable: (reason) => {
        if (this.#session !== session) return;
        session.isBroken = true;
        this.#succession.seekForDead(session, reason);
      },
      ticked: () => this.#ticked(session),
    });
    this.#sessions.add(session);
    void this.#forgetAtEnd(session);
    return session;
  }

  async #forgetAtEnd(session: Session): Promise<void> {
    await session.ended;
    this.#sessions.delete(session);
    add(this.#counters, session.counters);
  }

  /** Puts a session in charge, in the place of the one that is. */
  #promote(session: Session): void {
    const before = this.#session;
    this.#session = session;
    const reason = 'Its successor delivers';
    // After one that did not deliver everything it must be shown anew what was missed.
    if (before !== session && before?.isBroken === true) before.tellEnd(reason);
    if (session.isOpen) {
      session.announce();
      this.#become('open', 'Connected');
      const { logger } = this.#surroundings;
      const { instruments } = this.#status;
      const { connection } = session;
      logger.info({ connection, instruments: instruments.length }, 'Connected');
    }
    if (before === undefined || before === session) return;
    before.tellEnd(reason);
    if (session.isOpen && before.isOpen) before.retire(reason);
    else before.terminate(reason);
  }

  #outlive(session: Session, reason: string): void {
    if (session === this.#session) this.#succession.seek(session, reason);
    // A successor that is to go, too, is none.
    else session.terminate(reason);
  }

  #ticked(session: Session): void {
    const { settings } = this.#surroundings;
    if (session !== this.#session) {
      this.#succession.judge(session);
      return;
    }
    const { liveness } = session;
    if (
      this.#status.attempts > 0 &&
      liveness.dataFrames > 0 &&
      liveness.openMs >= settings.healthyAfterMs
    ) {
      this.#status = { ...this.#status, attempts: 0 };
    }
    this.#succession.tick(session);
  }

  #become(
    state: ConnectionState,
    reason: string,
    rest: Partial<Pick<ConnectionStatus, 'attempts' | 'nextAttempt'>> = {},
  ): void {
    const since = this.#surroundings.clock.now();
    this.#status = { ...this.#status, nextAttempt: undefined, ...rest, state, reason, since };
  }
}

function add(sum: DecoderCounters, more: DecoderCounters): void {
  sum.frames += more.frames;
  sum.ignored += more.ignored;
  sum.bad += more.bad;
}
