import { silentLogger } from '../../src/base/logger.ts';
import type { LastTrade, MarketEvent, MarketEventHandler } from '../../src/domain/market-event.ts';
import { binance } from '../../src/exchange/binance.ts';
import type { Exchange, ExchangeRest, ListedInstrument } from '../../src/exchange/exchange.ts';
import { openFeed } from '../../src/exchange/feed.ts';
import type { FeedOptions } from '../../src/exchange/feed.ts';
import { aTrade, noon } from './builders.ts';
import { eventually } from './eventually.ts';
import { TwinExchange } from './twin-exchange.ts';
import { TwinClock } from './twin-clock.ts';

type Setup = Partial<
  Pick<FeedOptions, 'exchange' | 'exchangeName' | 'symbols' | 'random' | 'onFrame' | 'budgets'>
> & {
  readonly settings?: Partial<FeedOptions['settings']>;
  readonly prepare?: ((twin: TwinExchange) => void) | undefined;
  /** Is told everything, too. */
  readonly handle?: MarketEventHandler;
};

/** A feed on a twin exchange under a twin clock at noon, and everything that it told. */
export async function openTwinFeed({ prepare, handle, settings = {}, ...options }: Setup = {}) {
  const resources = new AsyncDisposableStack();
  const twin = resources.use(await TwinExchange.open());
  prepare?.(twin);
  const clock = new TwinClock(noon);
  const events: MarketEvent[] = [];
  const feed = resources.use(
    openFeed({
      exchange: binance,
      exchangeName: 'sim-binance',
      symbols: ['BTCUSDT'],
      handle: (event) => {
        events.push(event);
        handle?.(event);
      },
      clock,
      logger: silentLogger,
      random: () => 0.5,
      settings: {
        webSocketBaseUrl: twin.webSocketBaseUrl,
        restBaseUrl: twin.restBaseUrl,
        ...settings,
      },
      ...options,
    }),
  );
  const types = () => events.map(({ type }) => type);
  return {
    twin,
    clock,
    feed,
    events,
    types,
    untilState: (state: string) => eventually(() => feed.status().state === state),
    untilEvents: (type: string, count = 1) =>
      eventually(() => types().filter((other) => other === type).length >= count),
    /** Moves the clock step by step, and lets both sides hear of everything in between. */
    advance: async (durationMs: number, beforeStep: () => void = () => {}) => {
      for (let passed = 0; passed < durationMs; passed += 500) {
        beforeStep();
        await clock.advance(500);
        await settle(twin);
      }
    },
    settle: () => settle(twin),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/**
 * Until all that was sent on the open connections has been received, and all that was answered, too:
 * a ping is answered after everything before it. Three times, for what an answer makes one send.
 */
async function settle(twin: TwinExchange): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await Promise.all(
      [...twin.sockets].map(
        (socket) =>
          new Promise<void>((resolve) => {
            if (socket.readyState !== socket.OPEN) return resolve();
            const done = () => {
              socket.off('pong', done).off('close', done);
              resolve();
            };
            socket.on('pong', done).on('close', done);
            socket.ping();
          }),
      ),
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const listed: ListedInstrument = {
  limits: { tickSize: undefined, lotSize: undefined, minimumNotional: undefined },
  trouble: undefined,
};

/** Binance whose REST interface answers at once, with the last trade that `lastIdOf` knows. */
export function withLastTrades(
  lastIdOf: (symbol: string) => number | undefined,
  rest: Partial<ExchangeRest> = {},
): Exchange {
  return {
    ...binance,
    createRest: (options) => ({
      ...binance.createRest(options),
      listedInstruments: (symbols) =>
        Promise.resolve(new Map(symbols.map((symbol) => [symbol, listed]))),
      lastTrade: (symbol) => {
        const id = lastIdOf(symbol);
        if (id === undefined) return Promise.resolve(undefined);
        const time = options.client.clock.now();
        const instrument = `${options.exchange}:${symbol}`;
        const trade = aTrade({ instrument, id, exchangeTime: time, receivedTime: time });
        const answer: LastTrade = { type: 'lastTrade', trade, askedTime: time, receivedTime: time };
        return Promise.resolve(answer);
      },
      ...rest,
    }),
  };
}
