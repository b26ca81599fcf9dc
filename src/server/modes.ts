import { logContext } from '../base/log-context.ts';
import type { Surroundings } from '../base/program.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import type { Mode } from '../domain/mode.ts';
import { Refusal } from '../domain/refusal.ts';
import type { ExchangeRest } from '../exchange/exchange.ts';
import type { Feed } from '../exchange/feed.ts';
import { jsonLinesRest } from '../exchange/json-lines/rest.ts';
import type { InstrumentDirectory } from '../rpc/instrument-directory.ts';
import type { ModeSwitch } from '../rpc/system/system-service.ts';
import type { ServerConfig } from './config.ts';
import { exchangesOf, followedIn, pushesLines } from './configured-exchange.ts';
import type { FollowedExchange, SimulatorAddress } from './configured-exchange.ts';
import { whyNotIn } from './mode-settings.ts';
import type { OpenExchange } from './open-exchange.ts';
import { startOwnSimulator } from './own-simulator.ts';

export type ModesOptions = {
  readonly config: Pick<ServerConfig, 'exchanges' | 'simulator'>;
  /** The mode to begin in. */
  readonly mode: Mode;
  readonly directory: InstrumentDirectory;
  /** Does what can fail before exchanges are followed. */
  readonly prepare: (exchanges: readonly FollowedExchange[]) => Promise<void>;
  /** Follows an exchange. */
  readonly open: (exchange: FollowedExchange) => OpenExchange;
  /** Keeps a mode for the next start; undefined: there is nowhere to keep it. */
  readonly keep: ((mode: Mode) => Promise<void>) | undefined;
  readonly surroundings: Pick<Surroundings, 'clock' | 'logger'>;
};

/** Switches that wait for their turn; who asks beyond it is refused. */
const maximumWaiting = 16;

/**
 * The mode that a server works in, and the feeds of it. A switch is one moment: all that can fail has
 * been done before it, the old feeds tell nothing after it, and names mean the new mode's instruments
 * from it on.
 */
export class Modes implements ModeSwitch, AsyncDisposable {
  readonly #options: ModesOptions;
  readonly #closing = new AbortController();
  #mode: Mode;
  #exchanges: ReadonlyMap<ExchangeName, OpenExchange> = new Map();
  /** All that the mode holds open. */
  #opened = new AsyncDisposableStack();
  #waiting = 0;
  /** The last switch that was asked for. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: ModesOptions) {
    this.#options = options;
    this.#mode = options.mode;
  }

  get mode(): Mode {
    return this.#mode;
  }

  get exchanges(): readonly ExchangeName[] {
    return followedIn(this.#mode, this.#options.config.exchanges).exchanges;
  }

  get isKept(): boolean {
    return this.#options.keep !== undefined;
  }

  /** Those of the mode that is on. */
  get feeds(): readonly Feed[] {
    return [...this.#exchanges.values()].map(({ feed }) => feed);
  }

  /** What follows an instrument's exchange; undefined while its mode is not on. */
  of(instrument: InstrumentName): OpenExchange | undefined {
    return this.#exchanges.get(splitInstrumentName(instrument).exchange ?? '');
  }

  /** Asks an instrument's exchange; what cannot be asked in any mode says so while it is off, too. */
  restOf(instrument: InstrumentName): ExchangeRest | undefined {
    const { exchange = '' } = splitInstrumentName(instrument);
    const followed = this.#exchanges.get(exchange);
    if (followed !== undefined) return followed.feed.rest;
    return pushesLines(exchange, this.#options.config.exchanges) ? jsonLinesRest : undefined;
  }

  /** Why nothing comes of an instrument, where that is because of the mode. */
  whyOff(instrument: InstrumentName): string | undefined {
    const { exchange = '' } = splitInstrumentName(instrument);
    if (this.exchanges.includes(exchange)) return undefined;
    return offIn(this.#mode);
  }

  /** Settles when what was before the feeds' start has been read, or it takes too long. */
  async whenHistoryRead(signal: AbortSignal): Promise<void> {
    const recoveries = [...this.#exchanges.values()].map(({ recovery }) => recovery);
    await Promise.all(recoveries.map((recovery) => recovery.whenRead(signal)));
  }

  /**
   * Opens the feeds of the first mode; to be called once, before anybody switches.
   * @throws what keeps them from being opened
   */
  start(): Promise<void> {
    return this.#queue(() => this.#goOver(this.#mode));
  }

  /** @throws Refusal when it cannot be done; the mode before stays on */
  async switchTo(mode: Mode): Promise<boolean> {
    if (this.#waiting >= maximumWaiting) {
      throw new Refusal('limit', `At most ${maximumWaiting} changes of the mode can wait`);
    }
    return await this.#queue(() => this.#switch(mode));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Refusal('unavailable', 'The server is stopping'));
    await this.#last;
    await this.#opened.disposeAsync();
  }

  /** One after the other: two at once would have four sets of feeds between them. */
  #queue<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    // What is opened here outlives the request that asked for it, and is not to be logged as its doing.
    const done = this.#last.then(() => logContext.run({}, work)).finally(() => this.#waiting--);
    this.#last = done.catch(() => {});
    return done;
  }

  async #switch(mode: Mode): Promise<boolean> {
    this.#closing.signal.throwIfAborted();
    if (mode === this.#mode) return false;
    const { config, keep, surroundings } = this.#options;
    const nothing = whyNotIn(mode, config.exchanges);
    if (nothing !== undefined) throw new Refusal('failedPrecondition', nothing);
    const before = this.#mode;
    try {
      await this.#goOver(mode, keep);
    } catch (error) {
      if (error instanceof Refusal) throw error;
      surroundings.logger.error({ err: error, mode, stays: before }, 'The mode cannot be changed');
      const reason = error instanceof Error ? error.message : String(error);
      const message = `${mode} mode cannot be gone over to, ${before} stays on: ${reason}`;
      throw new Refusal('unavailable', message, { cause: error });
    }
    return true;
  }

  async #goOver(mode: Mode, keep?: (mode: Mode) => Promise<void>): Promise<void> {
    const { config, directory, prepare, open, surroundings } = this.#options;
    await using prepared = new AsyncDisposableStack();
    const simulator = await this.#simulatorFor(mode, prepared);
    const followed = exchangesOf(mode, config.exchanges, simulator);
    await prepare(followed);
    await keep?.(mode);
    this.#closing.signal.throwIfAborted();

    // From here on nothing is waited for, so that nobody sees half a switch.
    const before = this.#opened;
    for (const exchange of this.#exchanges.values()) exchange.leave(offIn(mode));
    this.#mode = mode;
    directory.switchTo(followedIn(mode, config.exchanges));
    this.#exchanges = new Map(
      followed.map((exchange) => [exchange.exchangeName, prepared.use(open(exchange))]),
    );
    this.#opened = prepared.move();
    surroundings.logger.info({ mode, exchanges: this.exchanges }, 'Following the exchanges');

    await before.disposeAsync();
  }

  async #simulatorFor(
    mode: Mode,
    stack: AsyncDisposableStack,
  ): Promise<SimulatorAddress | undefined> {
    const { config, surroundings } = this.#options;
    if (mode === 'LIVE') return undefined;
    if (config.simulator.type === 'running') return config.simulator;
    const { signal } = this.#closing;
    return await startOwnSimulator(config.simulator, { ...surroundings, signal }, stack);
  }
}

function offIn(mode: Mode): string {
  return `The server is in ${mode} mode, in which this exchange is not followed`;
}
