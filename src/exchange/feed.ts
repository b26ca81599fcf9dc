import type { Clock, Micros } from '../base/clock.ts';
import { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import { instrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentLimits, InstrumentName } from '../domain/instrument.ts';
import type { MarketEvent, MarketEventHandler } from '../domain/market-event.ts';
import { AddressBudgets } from './address-budget.ts';
import type { BadFrame, BadFrameCause } from './bad-frame.ts';
import type { FrameHandler } from './capture.ts';
import { Connection } from './connection.ts';
import { worstOf } from './connection-status.ts';
import type { ConnectionState, ConnectionStatus } from './connection-status.ts';
import type { Exchange, ExchangeRest } from './exchange.ts';
import { defaultFeedBounds } from './feed-settings.ts';
import type { FeedAddresses, FeedBounds, FeedSettings } from './feed-settings.ts';
import { ListedInstruments } from './listed-instruments.ts';
import { Quarantine } from './quarantine.ts';
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
  /** To be shared by all feeds of a process; default: this one is the only one. */
  readonly budgets?: AddressBudgets | undefined;
  /** Is shown every text frame before it is read. */
  readonly onFrame?: FrameHandler | undefined;
};

/** A live subscription to one exchange. Disposing it closes every socket and timer of it. */
export interface Feed extends AsyncDisposable {
  readonly exchangeName: ExchangeName;
  /** Asks the exchange within the feed's allowance. */
  readonly rest: ExchangeRest;
  status(): FeedStatus;
  /** What is known by now of the instruments' order sizes. */
  limits(): ReadonlyMap<InstrumentName, InstrumentLimits>;
  /** Why instruments are not delivered, for people, although their connection may be open. */
  instrumentTroubles(): ReadonlyMap<InstrumentName, string>;
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
  const { limits: exchangeLimits } = exchange.facts;
  const bounds: FeedSettings = { ...defaultFeedBounds, ...exchange.bounds, ...options.settings };
  const { requestsPerSecond } = bounds;
  const settings = {
    ...bounds,
    requestsPerSecond: Math.min(requestsPerSecond, exchangeLimits.messagesPerSecond),
  };
  const logger = options.logger.child({ exchange: exchangeName });
  const spellings = new Map(
    options.symbols.map((text) => [exchange.symbolOf(text), exchange.ownSymbolOf(text)]),
  );
  const symbols = [...spellings.keys()];
  const ownSymbol = (symbol: string) => spellings.get(symbol) ?? exchange.ownSymbolOf(symbol);

  const budget = (options.budgets ?? new AddressBudgets(clock)).of(exchange, settings);
  const client = new RestClient({
    settings,
    allowance: budget.weight,
    usedWeightHeader: exchange.facts.usedWeightHeader,
    pauseAtUsedWeight: exchangeLimits.restWeightPerMinute / 2,
    clock,
    random,
  });
  const { timeUnit, maximumAheadMs } = settings;
  const rest: ExchangeRest = {
    ...exchange.createRest({
      client,
      exchange: exchangeName,
      timeUnit,
      maximumAheadMs,
      ownSymbol,
    }),
    facts: exchange.facts,
  };
  const quarantine = new Quarantine({ clock, logger });
  const listing = new ListedInstruments({ rest, symbols, settings, clock, random, logger });
  const surroundings = {
    ...budget,
    exchange,
    exchangeName,
    handle: (event: MarketEvent) => {
      options.handle(event);
      // What ends a connection may be what ends a symbol's trading.
      if (event.type === 'connectionLost') listing.refresh();
    },
    onFrame: options.onFrame,
    rest,
    quarantine,
    settings,
    clock,
    random,
    logger,
    logLimiter: new LogLimiter(clock, logPeriodMs),
  };
  const connections = exchange
    .subscriptions(symbols, { ...settings, ownSymbol })
    .map((subscription, index) => {
      const name = `${exchangeName}-${index + 1}`;
      return new Connection(surroundings, name, subscription);
    });

  return {
    exchangeName,
    rest,
    limits: () => {
      const listed = [...listing.listed];
      return new Map(
        listed.map(([symbol, { limits }]) => [instrumentName(exchangeName, symbol), limits]),
      );
    },
    instrumentTroubles: () => {
      const troubles = new Map(connections.flatMap((connection) => [...connection.troubles]));
      // That it does not trade explains why it is not delivered.
      for (const symbol of symbols) {
        const trouble = listing.troubleOf(symbol);
        if (trouble !== undefined) troubles.set(instrumentName(exchangeName, symbol), trouble);
      }
      return troubles;
    },
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
        restStop: budget.weight.currentStop?.reason,
      };
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...connections, listing].map((part) => part[Symbol.asyncDispose]()));
    },
  };
}
