import { joinedPair, separatedPair } from '../pair-symbol.ts';

/** Currencies that Kraken's REST interface, and many of its users, call otherwise. */
const oldNames: readonly (readonly [name: string, old: string])[] = [
  ['BTC', 'XBT'],
  ['DOGE', 'XDG'],
];

/** The pair as WebSocket v2 spells it: BTC/USD, of "btcusd", "XBT/USD" or "BTC-USD". */
export function krakenOwnSymbol(text: string): string {
  const old = oldNames.map(([, name]) => name);
  // Pairs in the old names of currencies are taken apart like those in the new ones.
  const upper = text.toUpperCase();
  const quote = old.find((name) => upper.endsWith(name) && !/[-/_]/u.test(upper));
  const pair = quote === undefined ? upper : `${upper.slice(0, -quote.length)}/${quote}`;
  return separatedPair(pair, '/')
    .split('/')
    .map((currency) => oldNames.find(([, name]) => name === currency)?.[0] ?? currency)
    .join('/');
}

/** The pair as instruments have it: BTCUSD. */
export function krakenSymbol(text: string): string {
  return joinedPair(krakenOwnSymbol(text));
}

/** The pair as REST spells it ("altname" of /0/public/AssetPairs): XBTUSD of BTC/USD. */
export function krakenRestSymbol(ownSymbol: string): string {
  return ownSymbol
    .split('/')
    .map((currency) => oldNames.find(([name]) => name === currency)?.[1] ?? currency)
    .join('');
}
