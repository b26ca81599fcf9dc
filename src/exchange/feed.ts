import type { Clock, Micros } from '../base/clock.ts';
import { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import { instrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentLimits, InstrumentName } from '../domain/instrument.ts';
import type { MarketEventHandler } from '../domain/market-event.ts';
import { Allowance } from './allowance.ts';
import type { BadFrame, BadFrameCause } from './bad-frame.ts';
import { Connection } from './connection.ts';
import { worstOf } from './connection-status.ts';
import type { ConnectionState, ConnectionStatus } from './connection-status.ts';
import type { Exchange, ExchangeRest } from './exchange.ts';
import { defaultFeedBounds } from './feed-settings.ts';
import type { FeedAddresses, FeedBounds, FeedSettings } from './feed-settings.ts';
import { Quarantine } from './quarantine.ts';
import { askOrderLimits } from './order-limits.ts';
import { RestClient } from './rest-client.ts';

export type FeedOptions = {
  readonly exchange: Exchange;
  /** The exchange's name in instruments: "binance", or "sim-binance" for its simulated twin. */
  readonly exchangeName: ExchangeName;
  /** As somebody typed them; repeated ones count once. */
  readonly symbols: readonly string[];
  /** Is told everything, synchronously and in order. What it throws ends the process. */
  readonly handle: MarketEventHandler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly settings: FeedAddresses & Partial<FeedBounds>;
};

/** A live subscription to one exchange. Disposing it closes every socket and timer of it. */
export interface Feed extends AsyncDisposable {
  readonly exchangeName: ExchangeName;
  /** Asks the exchange within the feed's allowance. */
  readonly rest: ExchangeRest;
  status(): FeedStatus;
  /** What is known by now of the instruments' order sizes. */
  limits(): ReadonlyMap<InstrumentName, InstrumentLimits>;
}

type FeedStatus = {
  readonly exchangeName: ExchangeName;
  /** That of the connection that is worst off, with its reason, time and attempts. */
  readonly state: ConnectionState;
  readonly reason: string;
  readonly since: Micros;
  readonly attempts: number;
  readonly connections: readonly ConnectionStatus[];
  readonly counters: FeedCounters;
  /** The newest bad frames. */
  readonly samples: readonly BadFrame[];
  /** Why REST is not asked at present. */
  readonly restStop: string | undefined;
};

/** All since the feed was opened. */
type FeedCounters = {
  readonly frames: number;
  /** Events and symbols that are not ours. */
  readonly ignoredFrames: number;
  readonly badFrames: Readonly<Record<BadFrameCause, number>>;
  readonly reconnects: number;
};

const logPeriodMs = 60_000;

/** Subscribes to the trades and book tickers of these symbols. Connects in the background. */
export function openFeed(options: FeedOptions): Feed {
  const { exchange, exchangeName, clock, random } = options;
  const settings: FeedSettings = { ...defaultFeedBounds, ...options.settings };
  const logger = options.logger.child({ exchange: exchangeName });
  const symbols = [...new Set(options.symbols.map((symbol) => exchange.symbolOf(symbol)))];

  const { facts } = exchange;
  const weightAllowance = new Allowance(clock, {
    limit: Math.min(settings.restWeightPerMinute, facts.limits.restWeightPerMinute),
    windowMs: 60_000,
  });
  const client = new RestClient({
    settings,
    allowance: weightAllowance,
    usedWeightHeader: facts.usedWeightHeader,
    pauseAtUsedWeight: facts.limits.restWeightPerMinute / 2,
    clock,
    random,
  });
  const { timeUnit, maximumAheadMs } = settings;
  const rest = exchange.createRest({ client, exchange: exchangeName, timeUnit, maximumAheadMs });
  const quarantine = new Quarantine({ clock, logger });
  const surroundings = {
    exchange,
    exchangeName,
    handle: options.handle,
    rest,
    connects: new Allowance(clock, {
      limit: Math.min(settings.connectsPer5Minutes, facts.limits.connectsPer5Minutes),
      windowMs: 300_000,
    }),
    probes: new Allowance(clock, { limit: settings.probeWeightPerMinute, windowMs: 60_000 }),
    quarantine,
    settings,
    clock,
    random,
    logger,
    logLimiter: new LogLimiter(clock, logPeriodMs),
  };
  const connections = exchange.subscriptions(symbols, settings).map((subscription, index) => {
    const name = `${exchangeName}-${index + 1}`;
    return new Connection(surroundings, name, subscription);
  });

  const limits = new Map<InstrumentName, InstrumentLimits>();
  const closing = new AbortController();
  const limitsAsked = askOrderLimits(
    { rest, symbols, clock, random, logger },
    closing.signal,
    (found) => {
      for (const [symbol, limit] of found) limits.set(instrumentName(exchangeName, symbol), limit);
    },
  );

  return {
    exchangeName,
    rest,
    limits: () => limits,
    status: () => {
      const statuses = connections.map((connection) => connection.status());
      const { state, reason, since, attempts } = worstOf(statuses, clock.now());
      const sum = (count: (connection: Connection) => number) =>
        connections.reduce((total, connection) => total + count(connection), 0);
      return {
        exchangeName,
        state,
        reason,
        since,
        attempts,
        connections: statuses,
        counters: {
          frames: sum(({ counters }) => counters.frames) + quarantine.counts.binary,
          ignoredFrames: sum(({ counters }) => counters.ignored),
          badFrames: { ...quarantine.counts },
          reconnects: sum(({ openings }) => Math.max(0, openings - 1)),
        },
        samples: quarantine.samples,
        restStop: weightAllowance.currentStop?.reason,
      };
    },
    [Symbol.asyncDispose]: async () => {
      closing.abort();
      await Promise.all(connections.map((connection) => connection[Symbol.asyncDispose]()));
      await limitsAsked;
    },
  };
}
