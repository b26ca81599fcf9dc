import { binance } from './binance.ts';
import { coinbase } from './coinbase.ts';
import type { Exchange } from './exchange.ts';
import { kraken } from './kraken.ts';

/** Every exchange whose protocol we speak, by its protocol's name. */
export const exchanges: ReadonlyMap<string, Exchange> = new Map(
  [binance, coinbase, kraken].map((exchange) => [exchange.protocol, exchange]),
);
