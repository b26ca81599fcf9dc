import { repeat } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import type { MarketEventHandler } from '../domain/market-event.ts';
import type { Trade } from '../domain/trade.ts';
import type { Allowance } from './allowance.ts';
import { sampleOf } from './bad-frame.ts';
import type { BadFrame } from './bad-frame.ts';
import type { FrameHandler } from './capture.ts';
import type { ControlMessage, Decoder, Exchange, ExchangeRest, Subscription } from './exchange.ts';
import type { FeedSettings } from './feed-settings.ts';
import { LastTradeQuestions } from './last-trade-questions.ts';
import { Liveness } from './liveness.ts';
import { MessageSubscriptions } from './message-subscriptions.ts';
import type { Quarantine } from './quarantine.ts';
import { StreamGuard } from './stream-guard.ts';
import type { StreamKeeper } from './stream-keeper.ts';
import { SubscriptionKeeper } from './subscription-keeper.ts';
import { openWebSocket } from './websocket.ts';
import type { OpenWebSocket, WebSocketEnd } from './websocket.ts';

/** What all sessions of a feed share. */
export type SessionSurroundings = {
  readonly exchange: Exchange;
  readonly exchangeName: ExchangeName;
  readonly handle: MarketEventHandler;
  /** Is shown every text frame before it is read. */
  readonly onFrame: FrameHandler | undefined;
  readonly rest: ExchangeRest;
  readonly probes: Allowance;
  readonly quarantine: Quarantine;
  readonly settings: FeedSettings;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly logLimiter: LogLimiter;
};

export type SessionListener = {
  /** The connection is up: names it. */
  opening(): string;
  opened(): void;
  /** It is about to be cut: it should be replaced as long as it still delivers. */
  outlived(reason: string): void;
  /** It should be replaced, for one of its symbols is dead and cannot be mended. */
  unmendable(reason: string): void;
  ticked(): void;
};

/** What judges an open connection, and ends with it. */
type Parts = { readonly guard: StreamGuard; readonly questions: LastTradeQuestions };

/** A second of fifty busy symbols, and some. What is beyond is missing, and asked for. */
const heldLimit = 20_000;

/** One attempt to connect and, if it succeeds, the connection until its end. */
export class Session {
  readonly ended: Promise<WebSocketEnd>;
  readonly liveness: Liveness;
  /** Its name; undefined as long as it is not up. */
  connection: string | undefined;
  /** Whether a symbol of it has died, and could not be mended. */
  isBroken = false;
  /** Whether another one is in charge, and this one only says its last. */
  isRetiring = false;
  readonly #surroundings: SessionSurroundings;
  readonly #subscription: Subscription;
  readonly #listener: SessionListener;
  readonly #decoder: Decoder;
  readonly #socket: OpenWebSocket;
  readonly #resources = new DisposableStack();
  #keeper: StreamKeeper | undefined;
  /** There from when its subscriptions are in force. */
  #parts: Parts | undefined;
  /**
   * What came before this connection was in charge; undefined from then on. Told at once it would be
   * taken as a sign that the one in charge delivers.
   */
  #held: (Trade | BookTicker)[] | undefined = [];
  #hasEnded = false;
  #openedAtMs = 0;

  constructor(
    surroundings: SessionSurroundings,
    subscription: Subscription,
    listener: SessionListener,
  ) {
    const { exchange, exchangeName, settings } = surroundings;
    this.#surroundings = surroundings;
    this.#subscription = subscription;
    this.#listener = listener;
    this.liveness = new Liveness(settings.tickMs);
    this.#decoder = exchange.createDecoder({
      exchange: exchangeName,
      timeUnit: settings.timeUnit,
      symbols: new Set(subscription.symbols),
      maximumAheadMs: settings.maximumAheadMs,
      onControl: (message) => this.#control(message),
      onBadFrame: (bad) => this.#quarantine(bad),
    });
    const { promise: ended, resolve: end } = Promise.withResolvers<WebSocketEnd>();
    this.ended = ended;
    this.#socket = openWebSocket(settings.webSocketBaseUrl + subscription.path, settings, {
      opened: () => this.#subscribe(listener.opening()),
      text: (frame) => this.#read(frame),
      binary: (frame) => {
        this.liveness.otherSigns++;
        const sample = sampleOf(frame.toString('latin1'));
        this.#quarantine({ cause: 'binary', problem: 'Expected text', sample });
      },
      heartbeat: () => {
        this.liveness.otherSigns++;
      },
      ended: (how) => {
        this.#close();
        end(how);
      },
    });
  }

  get counters(): Decoder['counters'] {
    return this.#decoder.counters;
  }

  get isOpen(): boolean {
    return this.#parts !== undefined && !this.#hasEnded;
  }

  /** How old it is, by the clock: ticks may be missed, the exchange's age limit does not wait. */
  get openedForMs(): number {
    return this.isOpen ? this.#surroundings.clock.monotonicMs() - this.#openedAtMs : 0;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Whether the exchange has named its streams, or does not say which are in force. */
  get isChecked(): boolean {
    return this.#keeper?.isChecked ?? false;
  }

  get troubles(): ReadonlyMap<InstrumentName, string> {
    return this.#parts?.guard.troubles ?? new Map<InstrumentName, string>();
  }

  /** Tells the market that this connection is in charge, and what it has delivered by now. */
  announce(): void {
    this.#parts?.guard.announce();
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const event of held) this.#surroundings.handle(event);
  }

  /** Tells the market, once, that it is not any more. */
  tellEnd(reason: string): void {
    this.#parts?.guard.tellEnd(reason);
  }

  /**
   * Drops the connection when its last frames have had time to come: they may still be on the way
   * when the first ones of its successor are there.
   */
  retire(reason: string): void {
    const { clock, settings } = this.#surroundings;
    this.isRetiring = true;
    this.#resources.use(clock.setTimer(settings.retireMs, () => this.terminate(reason)));
  }

  /** Drops the connection, or the attempt, at once. */
  terminate(reason: string): void {
    this.#close();
    this.#socket.terminate(reason);
  }

  /** It is up, and open as soon as its streams are in force: where the URL names them, at once. */
  #subscribe(connection: string): void {
    const { exchange, settings, clock, logger, logLimiter } = this.#surroundings;
    const { requests } = exchange;
    this.connection = connection;
    this.#openedAtMs = clock.monotonicMs();
    const options = {
      subscription: this.#subscription,
      send: (text: string) => this.#socket.send(text),
      missing: (symbol: string, reason: string) => this.#parts?.guard.missing(symbol, reason),
      inForce: (symbol: string) => this.#parts?.guard.inForce(symbol),
      settings,
      clock,
      logger: logger.child({ connection }),
      logLimiter,
    };
    if (requests.by === 'url') {
      this.#keeper = this.#resources.use(new SubscriptionKeeper({ ...options, requests }));
      this.#open(connection);
      return;
    }
    const begun = () => this.#open(connection);
    const failed = (reason: string) => this.terminate(reason);
    this.#keeper = this.#resources.use(
      new MessageSubscriptions({ ...options, requests, begun, failed }),
    );
  }

  #open(connection: string): void {
    const { exchange, settings, clock } = this.#surroundings;
    const { symbols } = this.#subscription;
    const guard: StreamGuard = new StreamGuard({
      ...this.#surroundings,
      connection,
      idOrder: exchange.facts.idOrder,
      symbols,
      askAgain: (symbol) => questions.again(symbol),
      renew: (symbol) => this.#keeper?.renew(symbol),
      giveUp: (reason) => this.#listener.unmendable(reason),
    });
    const questions: LastTradeQuestions = this.#resources.use(
      new LastTradeQuestions({
        ...this.#surroundings,
        symbols,
        answered: (symbol, answer) => guard.answered(symbol, answer),
      }),
    );
    this.#parts = { guard, questions };
    for (const [symbol, reason] of this.#keeper?.unavailable ?? []) guard.missing(symbol, reason);
    this.#resources.use(repeat(clock, settings.tickMs, () => this.#tick()));
    this.#listener.opened();
  }

  #close(): void {
    this.#hasEnded = true;
    this.#resources.dispose();
  }

  #read(frame: string): void {
    const { clock, onFrame } = this.#surroundings;
    const receivedTime = clock.now();
    onFrame?.(frame, receivedTime);
    const decoded = this.#decoder.decode(frame, receivedTime);
    if (decoded === undefined) {
      this.liveness.otherSigns++;
      return;
    }
    this.liveness.dataFrames++;
    if ('type' in decoded) this.#deliver(decoded);
    else for (const event of decoded) this.#deliver(event);
  }

  #deliver(event: Trade | BookTicker): void {
    this.#parts?.guard.see(event);
    if (this.#held === undefined) this.#surroundings.handle(event);
    else if (this.#held.length < heldLimit) this.#held.push(event);
  }

  #tick(): void {
    const { settings } = this.#surroundings;
    const { liveness } = this;
    liveness.tick();
    if (liveness.silentMs >= settings.silenceTimeoutMs) {
      this.terminate(`Nothing was received for ${settings.silenceTimeoutMs / 1000} s`);
      return;
    }
    const { guard, questions } = this.#parts ?? {};
    guard?.tick();
    this.#keeper?.tick();
    const isSilent = liveness.dataSilentMs >= settings.probeAfterMs;
    questions?.tick((symbol) => guard?.isInDoubt(symbol, isSilent) === true);
    this.#listener.ticked();
  }

  #control(message: ControlMessage): void {
    if (message.type === 'shutdown') {
      this.#listener.outlived('The exchange shuts this connection down');
    } else if (message.type === 'lastTradeId') {
      this.#parts?.guard.hearLastId(message.symbol, message.id);
    } else this.#keeper?.take(message);
  }

  #quarantine(bad: BadFrame): void {
    const { quarantine, settings } = this.#surroundings;
    quarantine.add(bad);
    if (bad.cause !== 'unreadable' && bad.cause !== 'binary') return;
    // What cannot be read at all points to the connection, not to one instrument.
    if (++this.liveness.unreadableFrames > settings.unreadableFramesPerMinute) {
      this.terminate('Too many frames could not be read');
    }
  }
}
