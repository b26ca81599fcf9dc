import type { Surroundings } from '../base/program.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { MarketEvent } from '../domain/market-event.ts';
import type { AddressBudgets } from '../exchange/address-budget.ts';
import { Audit } from '../exchange/audit.ts';
import type { FrameHandler } from '../exchange/capture.ts';
import { openFeed } from '../exchange/feed.ts';
import type { Feed } from '../exchange/feed.ts';
import type { StoredCandles } from '../exchange/read-history.ts';
import { Recovery } from '../exchange/recovery.ts';
import { openTcpFeed } from '../exchange/json-lines/tcp-feed.ts';
import type { Market } from '../market/market.ts';
import type { ServerConfig } from './config.ts';
import type { FollowedExchange } from './configured-exchange.ts';
import type { OpenGaps } from './open-gaps.ts';
import type { TradeLatency } from './server-metrics.ts';

export type OpenExchangeParts = {
  readonly config: ServerConfig;
  readonly market: Market;
  readonly latency: TradeLatency;
  readonly stored: StoredCandles | undefined;
  /** Of all exchanges of the process, in either mode: who asks too often is banned in both. */
  readonly budgets: AddressBudgets;
  readonly onFrame: FrameHandler | undefined;
  /** Those that were left open when it was followed the last time are filled. */
  readonly gaps: OpenGaps;
  readonly surroundings: Pick<Surroundings, 'clock' | 'logger'>;
};

/** What was missed within this is asked for trade by trade: at a page a thousand that is affordable. */
const tradesHorizonMs = 2 * 3_600_000;

/** One exchange that the server follows: its live feed, what mends and what checks it. */
export class OpenExchange implements AsyncDisposable {
  readonly feed: Feed;
  readonly recovery: Recovery;
  readonly audit: Audit;
  readonly #parts: OpenExchangeParts;
  readonly #stack = new AsyncDisposableStack();
  /** Connections that the market has been told of. */
  readonly #connections = new Set<string>();
  /** Instruments that a connection was opened for. */
  readonly #begun = new Set<InstrumentName>();
  #isLeft = false;

  /** Connects it to the market. */
  constructor(followed: FollowedExchange, parts: OpenExchangeParts) {
    const { config, market, stored, surroundings } = parts;
    const { exchangeName, instruments } = followed;
    this.#parts = parts;
    this.feed = this.#stack.use(this.#openFeed(followed));
    const random = Math.random;
    const handle = (event: MarketEvent) => this.#handle(event);
    const { rest } = this.feed;
    const exchangeTime = () => market.exchangeTime(exchangeName, surroundings.clock.now());
    this.recovery = this.#stack.use(
      new Recovery({
        ...surroundings,
        rest,
        exchangeTime,
        stored,
        handle,
        bounds: {
          historyCandles: config.historyCandles,
          horizonMs: config.backfillHorizonMs,
          tradesHorizonMs,
        },
        reconcilePeriodMs: config.reconcilePeriodMs,
        random,
      }),
    );
    this.audit = this.#stack.use(
      new Audit({
        ...surroundings,
        rest,
        exchangeTime,
        instruments,
        closedCandle: (instrument, openTime) => market.closedCandle(instrument, '1m', openTime),
        handle,
        periodMs: config.auditPeriodMs,
      }),
    );
  }

  /**
   * From this moment on it tells nothing any more, and the market knows that it does not: a feed that
   * is closed says no word of its own, and what is merely silent would be taken for quiet.
   */
  leave(reason: string): void {
    if (this.#isLeft) return;
    this.#isLeft = true;
    const { market, surroundings } = this.#parts;
    const receivedTime = surroundings.clock.now();
    for (const connection of this.#connections) {
      market.handle({ type: 'connectionLost', connection, reason, receivedTime });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.leave('The server closes its feeds');
    await this.#stack.disposeAsync();
  }

  #openFeed({ exchangeName, symbols, source }: FollowedExchange): Feed {
    const { config, budgets, onFrame, surroundings } = this.#parts;
    const options = {
      ...surroundings,
      exchangeName,
      symbols,
      handle: (event: MarketEvent) => this.#handleFeed(event),
      onFrame,
      random: Math.random,
    };
    if (source.type === 'lines') return openTcpFeed({ ...options, address: source.address });
    const { exchange, webSocketBaseUrl, restBaseUrl } = source;
    const { restTimeoutMs } = config;
    const settings = { webSocketBaseUrl, restBaseUrl, restTimeoutMs };
    return openFeed({ ...options, exchange, settings, budgets });
  }

  #handleFeed(event: MarketEvent): void {
    if (this.#isLeft) return;
    const { market, latency, surroundings } = this.#parts;
    market.handle(event);
    latency.observe(event, surroundings.clock.now());
    if (event.type === 'connectionLost') this.#connections.delete(event.connection);
    if (event.type !== 'connectionOpened') return;
    this.#connections.add(event.connection);
    this.recovery.opened(event.instruments);
    for (const instrument of event.instruments) this.#begin(instrument);
  }

  #begin(instrument: InstrumentName): void {
    if (this.#begun.has(instrument)) return;
    this.#begun.add(instrument);
    for (const gap of this.#parts.gaps.of(instrument)) this.recovery.fill(gap);
  }

  #handle(event: MarketEvent): void {
    if (!this.#isLeft) this.#parts.market.handle(event);
  }
}
