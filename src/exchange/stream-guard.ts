import type { Clock } from '../base/clock.ts';
import type { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import { instrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import type { IdOrder, LastTrade, MarketEventHandler } from '../domain/market-event.ts';
import type { Trade } from '../domain/trade.ts';
import { StreamWatch } from './stream-watch.ts';
import type { SilenceSettings } from './stream-watch.ts';

export type StreamGuardSettings = SilenceSettings & {
  readonly tickMs: number;
  readonly probeAfterMs: number;
  /** So often a symbol's subscription is made anew at once; then the connection is replaced. */
  readonly renewalsAtOnce: number;
  /** How long until the next renewal where those have not helped. */
  readonly renewEveryMs: number;
  /** A symbol that has delivered for so long after a renewal is trusted as it was before. */
  readonly healthyAfterMs: number;
};

export type StreamGuardOptions = {
  /** Names the connection in events. */
  readonly connection: string;
  readonly exchangeName: ExchangeName;
  readonly idOrder: IdOrder;
  readonly symbols: readonly string[];
  readonly handle: MarketEventHandler;
  /** Asks the exchange for a symbol's last trade as soon as it may. */
  readonly askAgain: (symbol: string) => void;
  /** Makes a symbol's subscription anew; `inForce` or `missing` is to be called then. */
  readonly renew: (symbol: string) => void;
  /** Nothing helps any more but another connection. */
  readonly giveUp: (reason: string) => void;
  readonly settings: StreamGuardSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logLimiter: LogLimiter;
};

type Stream = {
  readonly instrument: InstrumentName;
  readonly watch: StreamWatch;
  /** Why it delivers nothing; undefined while it does, as far as is known. */
  trouble: string | undefined;
  /** The connection that the market has been told this symbol alone is on, while that is open. */
  ownLine: string | undefined;
  lines: number;
  renewals: number;
  isRenewing: boolean;
  renewAtMs: number;
  /** Trades at the moment when its trouble began: one more, and it delivers again. */
  tradesBefore: number;
  healthyMs: number;
  /** The last trade that REST has told. */
  toldTrade: Trade | undefined;
  /** How long it is since the exchange named the last trade that we know as its last one. */
  unprovenMs: number;
};

/**
 * Judges each symbol of one connection by itself, and mends what is dead without disturbing the
 * others. For the market a symbol that has died is on a line of its own from then on, until the
 * connection is replaced: what the others deliver proves nothing for it any more.
 */
export class StreamGuard {
  readonly #options: StreamGuardOptions;
  readonly #byInstrument = new Map<InstrumentName, Stream>();
  readonly #bySymbol = new Map<string, Stream>();
  #isAnnounced = false;

  constructor(options: StreamGuardOptions) {
    this.#options = options;
    for (const symbol of options.symbols) {
      const stream: Stream = {
        instrument: instrumentName(options.exchangeName, symbol),
        watch: new StreamWatch(symbol, options.settings),
        trouble: undefined,
        ownLine: undefined,
        lines: 0,
        renewals: 0,
        isRenewing: false,
        renewAtMs: 0,
        tradesBefore: 0,
        healthyMs: 0,
        toldTrade: undefined,
        unprovenMs: Infinity,
      };
      this.#byInstrument.set(stream.instrument, stream);
      this.#bySymbol.set(symbol, stream);
    }
  }

  /** Why instruments are not delivered although the connection is open. */
  get troubles(): ReadonlyMap<InstrumentName, string> {
    const troubles = new Map<InstrumentName, string>();
    for (const { instrument, trouble } of this.#byInstrument.values()) {
      if (trouble !== undefined) troubles.set(instrument, trouble);
    }
    return troubles;
  }

  /** Tells the market that this connection is in charge from now on. */
  announce(): void {
    this.#isAnnounced = true;
    this.#tellOpened(this.#options.connection, [...this.#byInstrument.keys()]);
    for (const stream of this.#bySymbol.values()) {
      if (stream.trouble !== undefined) this.#tellLost(stream, stream.trouble);
    }
  }

  /** Tells the market that this connection is gone, if it was in charge. */
  tellEnd(reason: string): void {
    if (!this.#isAnnounced) return;
    this.#isAnnounced = false;
    const { connection, handle, clock } = this.#options;
    handle({ type: 'connectionLost', connection, reason, receivedTime: clock.now() });
    for (const stream of this.#bySymbol.values()) this.#closeOwnLine(stream, reason);
  }

  see(event: Trade | BookTicker): void {
    this.#byInstrument.get(event.instrument)?.watch.see(event);
  }

  answered(symbol: string, answer: LastTrade | undefined): void {
    const stream = this.#bySymbol.get(symbol);
    if (stream === undefined) return;
    stream.toldTrade = answer?.trade;
    // One that is known to be lost owes nothing.
    if (stream.trouble === undefined) stream.watch.learn(answer?.trade.id);
  }

  /**
   * The exchange names the last trade beside the trades themselves. Is it the one that we know, that
   * is as good as an answer of REST; is it a later one, the stream owes it, as one that REST has
   * told. What is named from before says nothing: it may be behind.
   */
  hearLastId(symbol: string, id: number): void {
    const stream = this.#bySymbol.get(symbol);
    if (stream === undefined || stream.trouble !== undefined || !this.#isAnnounced) return;
    const { toldTrade, watch } = stream;
    const isTold = (toldTrade?.id ?? -1) > (watch.lastTrade?.id ?? -1);
    const trade = isTold ? toldTrade : watch.lastTrade;
    if (trade === undefined || id < trade.id) return;
    watch.learn(id);
    if (id > trade.id) return;
    const now = this.#options.clock.now();
    stream.unprovenMs = 0;
    this.#options.handle({ type: 'lastTrade', trade, askedTime: now, receivedTime: now });
  }

  /**
   * Whether the exchange should be asked for the last trade of a symbol, whose connection may be
   * silent altogether.
   */
  isInDoubt(symbol: string, isConnectionSilent: boolean): boolean {
    const stream = this.#bySymbol.get(symbol);
    const { probeAfterMs } = this.#options.settings;
    if (stream === undefined || stream.unprovenMs < probeAfterMs) return false;
    if (isConnectionSilent) return true;
    if (stream.trouble !== undefined) return false;
    const { watch, ownLine } = stream;
    return (ownLine !== undefined && watch.dataSilentMs >= probeAfterMs) || watch.isDoubtful;
  }

  /** A symbol's subscription is not in force. */
  missing(symbol: string, reason: string): void {
    const stream = this.#bySymbol.get(symbol);
    if (stream === undefined) return;
    stream.isRenewing = false;
    this.#lose(stream, reason);
  }

  /** A symbol's subscription has been made anew. */
  inForce(symbol: string): void {
    const stream = this.#bySymbol.get(symbol);
    if (stream === undefined) return;
    stream.isRenewing = false;
    this.#restore(stream);
  }

  /** To be called every `tickMs`. */
  tick(): void {
    const { settings } = this.#options;
    for (const stream of this.#bySymbol.values()) {
      const { watch } = stream;
      watch.tick(settings.tickMs);
      stream.unprovenMs += settings.tickMs;
      if (!this.#isAnnounced) continue;
      if (stream.trouble !== undefined && watch.trades > stream.tradesBefore) {
        this.#restore(stream);
      } else if (watch.fault !== undefined && !stream.isRenewing) {
        this.#mend(stream, watch.fault);
      } else if (stream.renewals > 0 && watch.trades > stream.tradesBefore) {
        stream.healthyMs += settings.tickMs;
        if (stream.healthyMs >= settings.healthyAfterMs) stream.renewals = 0;
      }
    }
  }

  #mend(stream: Stream, fault: string): void {
    const { settings, clock, logger, logLimiter, connection, renew, giveUp } = this.#options;
    const nowMs = clock.monotonicMs();
    const { instrument } = stream;
    stream.healthyMs = 0;
    this.#lose(stream, fault);
    if (nowMs < stream.renewAtMs) return;
    const dead = this.troubles.size;
    if (dead > 1 && dead > this.#bySymbol.size / 2) {
      // To subscribe one after the other would take longer than another connection.
      giveUp(`${dead} of its ${this.#bySymbol.size} symbols are dead`);
    }
    if (stream.renewals >= settings.renewalsAtOnce) {
      stream.renewAtMs = nowMs + settings.renewEveryMs;
      giveUp(`${instrument} is dead: ${fault}`);
    }
    stream.renewals++;
    stream.isRenewing = true;
    const due = logLimiter.due(`dead ${instrument}`);
    if (due !== undefined) {
      logger.warn({ connection, instrument, fault, ...due }, 'Subscribing a dead symbol again');
    }
    renew(stream.watch.symbol);
  }

  #lose(stream: Stream, reason: string): void {
    const isNew = stream.trouble === undefined;
    stream.trouble = reason;
    if (!isNew) return;
    stream.tradesBefore = stream.watch.trades;
    if (this.#isAnnounced) this.#tellLost(stream, reason);
    // Until now it was believed: the answer shows what was missed, and closed without it.
    this.#options.askAgain(stream.watch.symbol);
  }

  #restore(stream: Stream): void {
    stream.watch.restart();
    if (stream.trouble === undefined) return;
    stream.trouble = undefined;
    if (this.#isAnnounced) this.#openOwnLine(stream);
    // From its answer on it is known again what was missed.
    this.#options.askAgain(stream.watch.symbol);
  }

  /** The market knows losses of connections only: so the symbol gets one, and that is lost. */
  #tellLost(stream: Stream, reason: string): void {
    if (stream.ownLine === undefined) this.#openOwnLine(stream);
    this.#closeOwnLine(stream, reason);
  }

  #openOwnLine(stream: Stream): void {
    stream.ownLine = `${this.#options.connection}/${stream.watch.symbol}.${++stream.lines}`;
    this.#tellOpened(stream.ownLine, [stream.instrument]);
  }

  #tellOpened(connection: string, instruments: readonly InstrumentName[]): void {
    const { handle, idOrder, clock } = this.#options;
    const receivedTime = clock.now();
    handle({ type: 'connectionOpened', connection, instruments, idOrder, receivedTime });
  }

  #closeOwnLine(stream: Stream, reason: string): void {
    if (stream.ownLine === undefined) return;
    const { handle, clock } = this.#options;
    const receivedTime = clock.now();
    handle({ type: 'connectionLost', connection: stream.ownLine, reason, receivedTime });
    stream.ownLine = undefined;
  }
}
