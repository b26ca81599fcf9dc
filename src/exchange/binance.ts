import type { Exchange, Subscription, SubscriptionOptions } from './exchange.ts';
import { createBinanceDecoder } from './binance/decoder.ts';
import { createBinanceRest } from './binance/rest.ts';
import { joinedPair } from './pair-symbol.ts';

export { createBinanceDecoder };

/**
 * Binance Spot, its public market data: trades as `@aggTrade`, best bid and ask as `@bookTicker`, in
 * combined WebSocket streams. Documented in binance/binance-spot-api-docs (web-socket-streams.md,
 * rest-api.md, enums.md).
 */
export const binance: Exchange = {
  protocol: 'binance',
  facts: {
    // The documents do not promise it in words; Binance's staff name it as the proof of no loss.
    idOrder: 'contiguous',
    backfill: 'byId',
    klines: 'whole',
    // A ping frame every 20 s; a minute without our pong, and the connection is cut.
    heartbeat: 'serverPing',
    subscribeSnapshot: 'none',
    priceEncoding: 'string',
    aggressorRule: 'buyerIsMaker',
    updateIds: 'orderBook',
    limits: {
      connectionLifeMs: 24 * 3_600_000,
      streamsPerConnection: 1024,
      messagesPerSecond: 5,
      connectsPer5Minutes: 300,
      restWeightPerMinute: 6000,
      restPerSecond: undefined,
    },
    usedWeightHeader: 'x-mbx-used-weight-1m',
  },
  addresses: {
    webSocketBaseUrl: 'wss://data-stream.binance.vision',
    restBaseUrl: 'https://data-api.binance.vision',
  },
  // Its spot symbols have no separator: BTC-USDT is what others call BTCUSDT.
  symbolOf: joinedPair,
  ownSymbolOf: joinedPair,
  subscriptions,
  requests: {
    by: 'url',
    subscribe: (id, params) => JSON.stringify({ method: 'SUBSCRIBE', params, id }),
    unsubscribe: (id, params) => JSON.stringify({ method: 'UNSUBSCRIBE', params, id }),
    list: (id) => JSON.stringify({ method: 'LIST_SUBSCRIPTIONS', id }),
  },
  createDecoder: createBinanceDecoder,
  createRest: createBinanceRest,
};

/** Proxies and servers are known to accept this much of a URL; many refuse more than 8,000. */
const pathLimit = 4096;

const streamKinds = ['aggTrade', 'bookTicker'] as const;

/** The names of streams begin with the symbol in lower case. */
function streamsOf(name: string): readonly string[] {
  return streamKinds.map((kind) => `${name}@${kind}`);
}

/**
 * The streams stand in the URL, so that being connected is being subscribed: there is no answer to
 * wait for and none to lose. Symbols need not be ASCII, therefore the escapes.
 */
function subscriptions(
  symbols: readonly string[],
  { timeUnit, symbolsPerConnection }: SubscriptionOptions,
): readonly Subscription[] {
  const unit = timeUnit === 'microsecond' ? '&timeUnit=MICROSECOND' : '';
  const most = Math.min(
    symbolsPerConnection,
    binance.facts.limits.streamsPerConnection / streamKinds.length,
  );
  const connections: { streams: string; symbols: string[] }[] = [];
  for (const symbol of symbols) {
    const streams = streamsOf(encodeURIComponent(symbol.toLowerCase())).join('/');
    const last = connections.at(-1);
    if (
      last !== undefined &&
      last.symbols.length < most &&
      last.streams.length + streams.length < pathLimit
    ) {
      last.streams += `/${streams}`;
      last.symbols.push(symbol);
    } else {
      connections.push({ streams, symbols: [symbol] });
    }
  }
  return connections.map(({ streams, symbols }) => ({
    path: `/stream?streams=${streams}${unit}`,
    symbols,
    streams: new Map(symbols.map((symbol) => [symbol, streamsOf(symbol.toLowerCase())])),
  }));
}
