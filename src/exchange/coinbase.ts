import { byChannel, channelSubscriptions } from './channel-streams.ts';
import { createCoinbaseDecoder } from './coinbase/decoder.ts';
import { createCoinbaseRest } from './coinbase/rest.ts';
import type { Exchange } from './exchange.ts';
import { joinedPair, separatedPair } from './pair-symbol.ts';

const channels = ['matches', 'ticker', 'heartbeat'];
/** No limit is documented: a hundred symbols. */
const streamsPerConnection = 300;

/**
 * Coinbase Exchange, its public market data: trades of the channel `matches`, best bid and ask of
 * `ticker`, and `heartbeat`, which names each product's last trade every second. Documented at
 * docs.cdp.coinbase.com/exchange/websocket-feed/{overview,channels,rate-limits} and /exchange/rest-api.
 */
export const coinbase: Exchange = {
  protocol: 'coinbase',
  facts: {
    // Unverified here: the documents call them unique, users see them rise by one (ccxt#22617).
    idOrder: 'contiguous',
    backfill: 'byId',
    // Of /products/{id}/candles: time, low, high, open, close, volume. No number of trades, no
    // quote volume, no taker's side.
    klines: 'none',
    heartbeat: 'channel',
    // A `last_match`, which is left out: REST tells the same after every connect.
    subscribeSnapshot: 'lastTrades',
    priceEncoding: 'string',
    aggressorRule: 'makerSide',
    updateIds: 'orderBook',
    limits: {
      connectionLifeMs: Infinity,
      streamsPerConnection,
      // 100 are documented; more than this is not needed.
      messagesPerSecond: 8,
      // 8 a second are documented.
      connectsPer5Minutes: 300,
      // 10 a second are documented: /exchange/rest-api/rate-limits.
      restWeightPerMinute: 600,
      restPerSecond: 8,
    },
    usedWeightHeader: undefined,
  },
  addresses: {
    webSocketBaseUrl: 'wss://ws-feed.exchange.coinbase.com',
    restBaseUrl: 'https://api.exchange.coinbase.com',
  },
  bounds: {
    // Each product's heartbeat comes once a second.
    silenceTimeoutMs: 5000,
    restWeightPerMinute: 300,
    probeWeightPerMinute: 120,
  },
  symbolOf: joinedPair,
  ownSymbolOf: (text) => separatedPair(text, '-'),
  subscriptions: (symbols, options) =>
    channelSubscriptions(symbols, { path: '', channels, streamsPerConnection }, options),
  requests: {
    by: 'message',
    subscribe: (streams) => [request('subscribe', streams)],
    unsubscribe: (streams) => [request('unsubscribe', streams)],
  },
  createDecoder: createCoinbaseDecoder,
  createRest: createCoinbaseRest,
};

/**
 * Documented at /exchange/websocket-feed/overview: the first one must come within 5 s.
 *
 *     {"type":"subscribe","channels":[{"name":"matches","product_ids":["BTC-USD"]}]}
 */
function request(type: 'subscribe' | 'unsubscribe', streams: readonly string[]): string {
  const named = [...byChannel(streams)].map(([name, product_ids]) => ({ name, product_ids }));
  return JSON.stringify({ type, channels: named });
}
