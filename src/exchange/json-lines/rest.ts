import type { ExchangeFacts, ExchangeRest } from '../exchange.ts';
import { RestError } from '../rest-error.ts';

/** What such an exchange promises: nothing but prices. */
const facts: ExchangeFacts = {
  idOrder: 'none',
  backfill: 'none',
  klines: 'none',
  heartbeat: 'none',
  subscribeSnapshot: 'none',
  priceEncoding: 'number',
  aggressorRule: 'none',
  hasQuantities: false,
  updateIds: 'none',
  limits: {
    connectionLifeMs: Infinity,
    streamsPerConnection: Infinity,
    messagesPerSecond: 0,
    connectsPer5Minutes: Infinity,
    restWeightPerMinute: 0,
    restPerSecond: 0,
  },
  usedWeightHeader: undefined,
};

/** Its facts say that there is nothing to be asked; whoever asks all the same is refused. */
export const jsonLinesRest: ExchangeRest = {
  facts,
  lastTradeWeight: 0,
  tradesPerAnswer: 1,
  lastTrade: refuse,
  trades: refuse,
  klines: refuse,
  listedInstruments: refuse,
};

/** @throws RestError */
function refuse(): Promise<never> {
  return Promise.reject(new RestError('refused', 'An exchange of JSON lines answers no questions'));
}
