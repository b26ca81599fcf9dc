import { backoffDelayMs } from '../base/backoff.ts';
import { repeat, sleep } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import { instrumentName } from '../domain/instrument.ts';
import type { ExchangeName } from '../domain/instrument.ts';
import type { MarketEventHandler } from '../domain/market-event.ts';
import type { Allowance } from './allowance.ts';
import { sampleOf } from './bad-frame.ts';
import type { BadFrame } from './bad-frame.ts';
import type { ConnectionState, ConnectionStatus } from './connection-status.ts';
import type { ControlMessage, Decoder, Exchange, ExchangeRest, Subscription } from './exchange.ts';
import type { FeedSettings } from './feed-settings.ts';
import { LastTradeQuestions } from './last-trade-questions.ts';
import { Liveness } from './liveness.ts';
import type { Quarantine } from './quarantine.ts';
import { stopOf } from './stop.ts';
import { openWebSocket } from './websocket.ts';
import type { OpenWebSocket, WebSocketEnd } from './websocket.ts';

/** What all connections of a feed share. */
export type ConnectionSurroundings = {
  readonly exchange: Exchange;
  readonly exchangeName: ExchangeName;
  readonly handle: MarketEventHandler;
  readonly rest: ExchangeRest;
  readonly connects: Allowance;
  readonly probes: Allowance;
  readonly quarantine: Quarantine;
  readonly settings: FeedSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly logLimiter: LogLimiter;
};

/** Keeps one subscription alive: connects, listens, and comes back after every end. */
export class Connection implements AsyncDisposable {
  /** How often a connection was opened. */
  openings = 0;
  readonly #surroundings: ConnectionSurroundings;
  readonly #url: string;
  readonly #symbols: readonly string[];
  readonly #decoder: Decoder;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #liveness: Liveness;
  #socket: OpenWebSocket | undefined;
  #status: ConnectionStatus;

  constructor(surroundings: ConnectionSurroundings, name: string, subscription: Subscription) {
    const { exchange, exchangeName, settings, clock } = surroundings;
    this.#surroundings = surroundings;
    this.#url = settings.webSocketBaseUrl + subscription.path;
    this.#symbols = subscription.symbols;
    this.#decoder = exchange.createDecoder({
      exchange: exchangeName,
      timeUnit: settings.timeUnit,
      symbols: new Set(subscription.symbols),
      maximumAheadMs: settings.maximumAheadMs,
      onControl: (message) => this.#control(message),
      onBadFrame: (bad) => this.#quarantine(bad),
    });
    this.#liveness = new Liveness(settings.tickMs);
    this.#status = {
      name,
      instruments: subscription.symbols.map((symbol) => instrumentName(exchangeName, symbol)),
      state: 'connecting',
      reason: 'Starting',
      since: clock.now(),
      attempts: 0,
      nextAttempt: undefined,
    };
    this.#running = this.#run();
  }

  status(): ConnectionStatus {
    return this.#status;
  }

  get counters(): Decoder['counters'] {
    return this.#decoder.counters;
  }

  /** After this nothing is told any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#socket?.terminate('Closed by us');
    await this.#running;
  }

  async #run(): Promise<void> {
    const { settings, clock, random, connects } = this.#surroundings;
    const { signal } = this.#closing;
    try {
      for (;;) {
        await this.#waitForAllowance();
        signal.throwIfAborted();
        this.#become('connecting', this.#status.reason, { attempts: this.#status.attempts + 1 });
        const end = await this.#connect();
        if (signal.aborted) return;
        const stop = stopOf(
          { status: end.status ?? 0, retryAfter: end.retryAfter },
          { stopMs: settings.stopMs, now: clock.now() },
        );
        if (stop !== undefined) connects.stop(stop);
        const delayMs = backoffDelayMs(
          Math.max(0, this.#status.attempts - 1),
          settings.backoff,
          random,
        );
        await this.#wait(end.reason, delayMs);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Waits until the address allows an attempt, which is then taken. */
  async #waitForAllowance(): Promise<void> {
    const { connects, settings, random } = this.#surroundings;
    for (;;) {
      const waitMs = connects.take();
      if (waitMs === 0) return;
      const isStopped = connects.currentStop !== undefined;
      const delayMs = isStopped ? backoffDelayMs(0, settings.backoff, random) : waitMs;
      await this.#wait('All attempts of the last 5 minutes are used', delayMs);
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

  /** Settles when the connection has ended. */
  async #connect(): Promise<WebSocketEnd> {
    const { settings, clock, handle, logger } = this.#surroundings;
    const { promise: ended, resolve: end } = Promise.withResolvers<WebSocketEnd>();
    using session = new DisposableStack();
    const liveness = new Liveness(settings.tickMs);
    this.#liveness = liveness;
    let connection: string | undefined;
    const socket = openWebSocket(this.#url, settings, {
      opened: () => {
        connection = `${this.#status.name}.${++this.openings}`;
        this.#become('open', 'Connected');
        const { instruments } = this.#status;
        logger.info({ connection, instruments: instruments.length }, 'Connected');
        handle({ type: 'connectionOpened', connection, instruments, receivedTime: clock.now() });
        const questions = session.use(this.#openQuestions());
        session.use(repeat(clock, settings.tickMs, () => this.#tick(liveness, questions)));
      },
      text: (frame) => {
        const event = this.#decoder.decode(frame, clock.now());
        if (event === undefined) {
          liveness.otherSigns++;
        } else {
          liveness.dataFrames++;
          handle(event);
        }
      },
      binary: (frame) => {
        liveness.otherSigns++;
        const sample = sampleOf(frame.toString('latin1'));
        this.#quarantine({ cause: 'binary', problem: 'Expected text', sample });
      },
      heartbeat: () => {
        liveness.otherSigns++;
      },
      ended: end,
    });
    this.#socket = socket;
    const how = await ended;
    if (connection !== undefined && !this.#closing.signal.aborted) {
      const { reason } = how;
      handle({ type: 'connectionLost', connection, reason, receivedTime: clock.now() });
    }
    return how;
  }

  #openQuestions(): LastTradeQuestions {
    return new LastTradeQuestions({ ...this.#surroundings, symbols: this.#symbols });
  }

  #tick(liveness: Liveness, questions: LastTradeQuestions): void {
    const { settings } = this.#surroundings;
    liveness.tick();
    if (liveness.silentMs >= settings.silenceTimeoutMs) {
      this.#socket?.terminate(`Nothing was received for ${settings.silenceTimeoutMs / 1000} s`);
      return;
    }
    if (
      this.#status.attempts > 0 &&
      liveness.dataFrames > 0 &&
      liveness.openMs >= settings.healthyAfterMs
    ) {
      this.#status = { ...this.#status, attempts: 0 };
    }
    questions.tick({ isSilent: liveness.dataSilentMs >= settings.probeAfterMs });
  }

  #control(message: ControlMessage): void {
    const { logger } = this.#surroundings;
    if (message.type === 'shutdown') {
      this.#socket?.terminate('The exchange shuts this connection down');
    } else if (message.error !== undefined) {
      logger.warn({ connection: this.#status.name, error: message.error }, 'The exchange refused');
    }
  }

  #quarantine(bad: BadFrame): void {
    const { quarantine, settings } = this.#surroundings;
    quarantine.add(bad);
    if (bad.cause !== 'unreadable' && bad.cause !== 'binary') return;
    // What cannot be read at all points to the connection, not to one instrument.
    if (++this.#liveness.unreadableFrames > settings.unreadableFramesPerMinute) {
      this.#socket?.terminate('Too many frames could not be read');
    }
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
