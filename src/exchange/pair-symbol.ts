/**
 * Currencies that pairs are quoted in, of which none ends like another. A pair of any other has to be
 * written with its separator.
 */
const quoteCurrencies: readonly string[] = [
  'USDT',
  'USDC',
  'USD',
  'EUR',
  'GBP',
  'JPY',
  'CHF',
  'CAD',
  'AUD',
  'DAI',
  'BTC',
  'ETH',
];

const separators = /[-/_]/gu;

/** A pair as instruments have it: BTCUSD of "BTC-USD", "btc/usd" or "btcusd". */
export function joinedPair(text: string): string {
  return text.replaceAll(separators, '').toUpperCase();
}

/** A pair with its separator between base and quote: BTC-USD of "btcusd"; as it is where that is not known. */
export function separatedPair(text: string, separator: '-' | '/'): string {
  const upper = text.toUpperCase();
  const written = upper.replaceAll(separators, separator);
  if (written.includes(separator)) return written;
  const quote = quoteCurrencies.find((currency) => upper.endsWith(currency));
  if (quote === undefined || quote === upper) return upper;
  return `${upper.slice(0, -quote.length)}${separator}${quote}`;
}
