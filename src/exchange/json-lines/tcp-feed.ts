import { backoffDelayMs } from '../../base/backoff.ts';
import { sleep } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { LogLimiter } from '../../base/log-limiter.ts';
import type { Logger } from '../../base/logger.ts';
import type { ExchangeName } from '../../domain/instrument.ts';
import type { MarketEventHandler } from '../../domain/market-event.ts';
import type { FrameHandler } from '../capture.ts';
import type { ConnectionState, ConnectionStatus } from '../connection-status.ts';
import type { Feed } from '../feed.ts';
import { jsonLinesRest } from './rest.ts';
import { JsonLinesDecoder } from '../json-lines.ts';
import { Quarantine } from '../quarantine.ts';
import { defaultTcpFeedBounds } from './tcp-feed-settings.ts';
import type { TcpFeedBounds } from './tcp-feed-settings.ts';
import { TcpSession } from './tcp-session.ts';
import type { TcpSessionSurroundings } from './tcp-session.ts';
import type { TcpAddress } from './tcp-socket.ts';

export type TcpFeedOptions = {
  /** The exchange's name in instruments: "exchange1", or "sim-exchange1" for its simulated twin. */
  readonly exchangeName: ExchangeName;
  readonly address: TcpAddress;
  /** As the exchange writes them; repeated ones count once. */
  readonly symbols: readonly string[];
  /** Is told everything, synchronously and in order. What it throws ends the process. */
  readonly handle: MarketEventHandler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly bounds?: Partial<TcpFeedBounds>;
  /** Is shown every line that is text before it is read. */
  readonly onFrame?: FrameHandler | undefined;
};

const logPeriodMs = 60_000;

/**
 * Follows the prices that a TCP port pushes as JSON lines. Connects in the background. There is
 * nothing to be asked, as the facts of its `rest` say.
 */
export function openTcpFeed(options: TcpFeedOptions): Feed {
  return new LineFeed(options);
}

class LineFeed implements Feed {
  readonly rest = jsonLinesRest;
  readonly exchangeName: ExchangeName;
  readonly #options: TcpFeedOptions;
  readonly #bounds: TcpFeedBounds;
  readonly #logger: Logger;
  readonly #logLimiter: LogLimiter;
  readonly #quarantine: Quarantine;
  readonly #decoder: JsonLinesDecoder;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #status: ConnectionStatus;
  /** How often a connection was opened. */
  #openings = 0;

  constructor(options: TcpFeedOptions) {
    const { exchangeName, clock } = options;
    this.exchangeName = exchangeName;
    this.#options = options;
    this.#bounds = { ...defaultTcpFeedBounds, ...options.bounds };
    this.#logger = options.logger.child({ exchange: exchangeName });
    this.#logLimiter = new LogLimiter(clock, logPeriodMs);
    this.#quarantine = new Quarantine({ clock, logger: this.#logger });
    this.#decoder = new JsonLinesDecoder({
      exchange: exchangeName,
      symbols: [...new Set(options.symbols)],
      ...this.#bounds,
      onBadFrame: (bad) => this.#quarantine.add(bad),
    });
    this.#status = {
      name: `${exchangeName}-1`,
      instruments: this.#decoder.instruments,
      state: 'connecting',
      reason: 'Starting',
      since: clock.now(),
      attempts: 0,
      nextAttempt: undefined,
    };
    this.#running = this.#run();
  }

  status(): ReturnType<Feed['status']> {
    const { state, reason, since, attempts } = this.#status;
    const { frames, ignored } = this.#decoder.counters;
    return {
      exchangeName: this.exchangeName,
      state,
      reason,
      since,
      attempts,
      connections: [this.#status],
      counters: {
        frames,
        ignoredFrames: ignored,
        badFrames: { ...this.#quarantine.counts },
        reconnects: Math.max(0, this.#openings - 1),
      },
      samples: this.#quarantine.samples,
      restStop: undefined,
    };
  }

  limits(): ReturnType<Feed['limits']> {
    return new Map();
  }

  instrumentTroubles(): ReturnType<Feed['instrumentTroubles']> {
    return new Map();
  }

  /** After this nothing is told any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    try {
      while (!signal.aborted) {
        const reason = await this.#follow(signal);
        if (!signal.aborted) await this.#wait(reason, signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  /** Connects and listens until the connection ends. */
  async #follow(signal: AbortSignal): Promise<string> {
    const { address, handle, onFrame, clock } = this.#options;
    const attempts = this.#status.attempts + 1;
    this.#become('connecting', this.#status.reason, { attempts });
    const surroundings: TcpSessionSurroundings = {
      address,
      decoder: this.#decoder,
      handle,
      onFrame,
      bounds: this.#bounds,
      clock,
    };
    const session: TcpSession = new TcpSession(surroundings, {
      opened: () => this.#opened(),
      ticked: () => this.#ticked(session),
    });
    const close = () => session.close('Closed by us');
    signal.addEventListener('abort', close, { once: true });
    const reason = await session.ended;
    signal.removeEventListener('abort', close);
    return reason;
  }

  #opened(): string {
    const connection = `${this.#status.name}.${++this.#openings}`;
    this.#become('open', 'Connected');
    this.#logger.info({ connection, ...this.#options.address }, 'Connected');
    return connection;
  }

  #ticked({ liveness }: TcpSession): void {
    const isHealthy = liveness.dataFrames > 0 && liveness.openMs >= this.#bounds.healthyAfterMs;
    if (isHealthy && this.#status.attempts > 0) this.#status = { ...this.#status, attempts: 0 };
  }

  async #wait(reason: string, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#options;
    const { name: connection, attempts } = this.#status;
    const { backoff } = this.#bounds;
    const delayMs = Math.round(backoffDelayMs(Math.max(0, attempts - 1), backoff, random));
    this.#become('waiting', reason, { nextAttempt: clock.now() + delayMs * 1000 });
    const due = this.#logLimiter.due(reason);
    if (due !== undefined) {
      this.#logger.warn({ connection, reason, attempts, delayMs, ...due }, 'Reconnecting');
    }
    await sleep(clock, delayMs, signal);
  }

  #become(
    state: ConnectionState,
    reason: string,
    rest: Partial<Pick<ConnectionStatus, 'attempts' | 'nextAttempt'>> = {},
  ): void {
    const since = this.#options.clock.now();
    this.#status = { ...this.#status, nextAttempt: undefined, ...rest, state, reason, since };
  }
}
