import { byChannel, channelSubscriptions } from './channel-streams.ts';
import type { Exchange } from './exchange.ts';
import { createKrakenDecoder } from './kraken/decoder.ts';
import { createKrakenRest } from './kraken/rest.ts';
import { krakenOwnSymbol, krakenSymbol } from './kraken/symbols.ts';

const channels = ['trade', 'ticker'];
/** No limit is documented: a hundred symbols. */
const streamsPerConnection = 200;

/**
 * Kraken's spot market, its public data: trades of the channel `trade`, best bid and ask of `ticker`,
 * in WebSocket v2. Its numbers are JSON numbers, which are read from the text. Documented at
 * docs.kraken.com/exchange/api-reference/spot-websocket-v2/{trade,ticker,heartbeat,status} and
 * docs.kraken.com/api/docs/rest-api.
 */
export const kraken: Exchange = {
  protocol: 'kraken',
  facts: {
    // "Sequence number, unique per trading book": but a user found 17 % of the ids missing in the
    // WebSocket and none over REST (krakenfx/api-go#36, closed without a word).
    idOrder: 'monotonic',
    backfill: 'byTime',
    // OHLC has no taker's volumes, and one vwap instead of the quote volume.
    klines: 'none',
    // About one a second while nothing else is sent.
    heartbeat: 'channel',
    // The last 50 trades; we ask to be spared them, for REST tells all.
    subscribeSnapshot: 'none',
    priceEncoding: 'number',
    aggressorRule: 'takerSide',
    updateIds: 'time',
    limits: {
      connectionLifeMs: Infinity,
      streamsPerConnection,
      // Unverified here: a bucket for subscriptions is documented, its size is not.
      messagesPerSecond: 5,
      // About 150 in 10 minutes, by Cloudflare's rules.
      connectsPer5Minutes: 75,
      // "1 per second or less would remain within the limits": support.kraken.com, 206548367.
      restWeightPerMinute: 60,
      restPerSecond: 1,
    },
    usedWeightHeader: undefined,
  },
  addresses: { webSocketBaseUrl: 'wss://ws.kraken.com', restBaseUrl: 'https://api.kraken.com' },
  bounds: {
    // What Kraken's guide to reconnecting advises; heartbeats come five times as often.
    silenceTimeoutMs: 5000,
    restWeightPerMinute: 60,
    // A third, so that filling gaps never waits for questions out of mere silence.
    probeWeightPerMinute: 20,
  },
  symbolOf: krakenSymbol,
  ownSymbolOf: krakenOwnSymbol,
  subscriptions: (symbols, options) =>
    channelSubscriptions(symbols, { path: '/v2', channels, streamsPerConnection }, options),
  requests: {
    by: 'message',
    subscribe: (streams) => requests('subscribe', streams),
    unsubscribe: (streams) => requests('unsubscribe', streams),
  },
  createDecoder: createKrakenDecoder,
  createRest: createKrakenRest,
};

/** What a channel is told beside its symbols. */
const parameters: Readonly<Record<'subscribe' | 'unsubscribe', Readonly<Record<string, object>>>> =
  {
    subscribe: {
      trade: { snapshot: false },
      // On every change of the best bid or ask, not only on trades.
      ticker: { event_trigger: 'bbo' },
    },
    unsubscribe: { ticker: { event_trigger: 'bbo' } },
  };

/**
 * One message a channel.
 *
 *     {"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"],"snapshot":false}}
 */
function requests(method: 'subscribe' | 'unsubscribe', streams: readonly string[]) {
  return [...byChannel(streams)].map(([channel, symbol]) =>
    JSON.stringify({ method, params: { channel, symbol, ...parameters[method][channel] } }),
  );
}
