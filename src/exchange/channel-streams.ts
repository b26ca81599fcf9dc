import type { Subscription, SubscriptionOptions } from './exchange.ts';

// Streams of exchanges that name a channel and symbols in a message: "trade:BTC/USD".

/** Spreads symbols over connections that all have the same URL. */
export function channelSubscriptions(
  symbols: readonly string[],
  connection: {
    readonly path: string;
    readonly channels: readonly string[];
    readonly streamsPerConnection: number;
  },
  { symbolsPerConnection, ownSymbol }: SubscriptionOptions,
): readonly Subscription[] {
  const { path, channels, streamsPerConnection } = connection;
  const most = Math.min(symbolsPerConnection, Math.floor(streamsPerConnection / channels.length));
  const streamsOf = (symbol: string) =>
    channels.map((channel) => streamName(channel, ownSymbol(symbol)));
  const connections: Subscription[] = [];
  for (let start = 0; start < symbols.length; start += most) {
    const own = symbols.slice(start, start + most);
    const streams = new Map(own.map((symbol) => [symbol, streamsOf(symbol)]));
    connections.push({ path, symbols: own, streams });
  }
  return connections;
}

export function streamName(channel: string, ownSymbol: string): string {
  return `${channel}:${ownSymbol}`;
}

/** The symbols of streams, as the exchange spells them, by their channel. */
export function byChannel(streams: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const channels = new Map<string, string[]>();
  for (const stream of streams) {
    const colon = stream.indexOf(':');
    const channel = stream.slice(0, colon);
    const symbols = channels.get(channel) ?? [];
    symbols.push(stream.slice(colon + 1));
    channels.set(channel, symbols);
  }
  return channels;
}
