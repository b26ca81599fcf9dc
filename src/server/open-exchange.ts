import type { Surroundings } from '../base/program.ts';
import { instrumentName } from '../domain/instrument.ts';
import type { ExchangeName } from '../domain/instrument.ts';
import type { MarketEvent } from '../domain/market-event.ts';
import { AddressBudgets } from '../exchange/address-budget.ts';
import { Audit } from '../exchange/audit.ts';
import { binance } from '../exchange/binance.ts';
import { openFeed } from '../exchange/feed.ts';
import type { Feed, FeedOptions } from '../exchange/feed.ts';
import type { StoredCandles } from '../exchange/read-history.ts';
import { Recovery } from '../exchange/recovery.ts';
import type { Market } from '../market/market.ts';
import type { ServerConfig } from './config.ts';
import type { TradeLatency } from './server-metrics.ts';

/** One exchange that the server follows: its live feed, and what mends and checks it. */
export type OpenExchange = {
  readonly feed: Feed;
  readonly recovery: Recovery;
  readonly audit: Audit;
};

export type OpenExchangeParts = {
  readonly exchangeName: ExchangeName;
  readonly symbols: readonly string[];
  readonly market: Market;
  readonly latency: TradeLatency;
  readonly stored: StoredCandles | undefined;
  readonly onFrame: FeedOptions['onFrame'];
};

/** What was missed within this is asked for trade by trade: at a page a thousand that is affordable. */
const tradesHorizonMs = 2 * 3_600_000;

/** Connects an exchange to the market; all of it is closed with the stack. */
export function openExchange(
  config: ServerConfig,
  { exchangeName, symbols, market, latency, stored, onFrame }: OpenExchangeParts,
  { clock, logger }: Pick<Surroundings, 'clock' | 'logger'>,
  stack: AsyncDisposableStack,
): OpenExchange {
  const { webSocketBaseUrl, restBaseUrl, restTimeoutMs } = config;
  const random = Math.random;
  const exchangeTime = () => market.exchangeTime(exchangeName, clock.now());
  const feed = stack.use(
    openFeed({
      exchange: binance,
      exchangeName,
      symbols,
      handle: (event: MarketEvent) => {
        market.handle(event);
        latency.observe(event, clock.now());
        if (event.type === 'connectionOpened') recovery.opened(event.instruments);
      },
      settings: { webSocketBaseUrl, restBaseUrl, restTimeoutMs },
      budgets: new AddressBudgets(clock),
      onFrame,
      clock,
      logger,
      random,
    }),
  );
  const surroundings = { rest: feed.rest, exchangeTime, clock, logger };
  const handle = (event: MarketEvent) => market.handle(event);
  const recovery = stack.use(
    new Recovery({
      ...surroundings,
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
  const audit = stack.use(
    new Audit({
      ...surroundings,
      instruments: symbols.map((symbol) => instrumentName(exchangeName, symbol)),
      closedCandle: (instrument, openTime) => market.closedCandle(instrument, '1m', openTime),
      handle,
      periodMs: config.auditPeriodMs,
    }),
  );
  return { feed, recovery, audit };
}
