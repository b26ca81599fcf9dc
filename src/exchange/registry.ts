import { binance } from './binance.ts';
import type { Exchange } from './exchange.ts';

/** Every exchange whose protocol we speak, by its protocol's name. */
export const exchanges: ReadonlyMap<string, Exchange> = new Map(
  [binance].map((exchange) => [exchange.protocol, exchange]),
);
