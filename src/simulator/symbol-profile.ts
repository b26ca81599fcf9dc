import { hashAt, seedOf } from './random.ts';

/**
 * How a symbol trades. Prices are counted in ticks of 10^-tickDecimals, quantities in lots of
 * 10^-lotDecimals. The counts are exact and the same for every minute: that is what makes ids a
 * closed form of time.
 */
export type SymbolProfile = {
  readonly symbol: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  readonly tickDecimals: number;
  readonly lotDecimals: number;
  /** The price that the path moves around, in ticks. */
  readonly basePrice: number;
  /** A usual trade, in lots. */
  readonly usualLots: number;
  /** What the best bid and ask show, in lots. */
  readonly shownLots: readonly [minimum: number, maximum: number];
  /** The usual distance between bid and ask, in ticks. */
  readonly spread: number;
  /** Aggregate trades in a minute that has any. */
  readonly tradesPerMinute: number;
  /** Minutes of an hour that have trades; in the others only the book moves. */
  readonly activeMinutes: number;
  /** Book tickers in a second, at least 2. */
  readonly tickersPerSecond: number;
  /** As /exchangeInfo tells it, in the quote asset. */
  readonly minimumNotional: string;
  /** How many different minutes there are; a minute of the market is one of them. */
  readonly patternCount: number;
};

type Row = readonly [
  symbol: string,
  baseAsset: string,
  quoteAsset: string,
  tickDecimals: number,
  lotDecimals: number,
  price: number,
  usualQuantity: number,
  shownQuantity: readonly [number, number],
  spread: number,
  tradesPerMinute: number,
  activeMinutes: number,
  tickersPerSecond: number,
];

// Ticks and lots are Binance's. BNBUSDT has few tickers so that its update ids stay below those of
// the worked example that people inject (400900217) until the year 2029.
const rows: readonly Row[] = [
  ['BTCUSDT', 'BTC', 'USDT', 2, 5, 65_000, 0.01, [0.02, 6], 1, 960, 60, 40],
  ['ETHUSDT', 'ETH', 'USDT', 2, 4, 2_600, 0.2, [0.5, 80], 1, 720, 60, 32],
  ['SOLUSDT', 'SOL', 'USDT', 2, 3, 150, 3, [5, 900], 1, 420, 60, 20],
  ['PEPEUSDT', 'PEPE', 'USDT', 8, 0, 0.000_012, 20_000_000, [1e6, 9e8], 1, 300, 60, 16],
  ['DOGEUSDT', 'DOGE', 'USDT', 5, 0, 0.2, 1_500, [2_000, 400_000], 1, 300, 60, 16],
  ['BNBUSDT', 'BNB', 'USDT', 2, 3, 600, 0.4, [0.5, 60], 1, 240, 60, 3],
  ['TONUSDT', 'TON', 'USDT', 3, 2, 3.2, 60, [50, 6_000], 1, 40, 58, 6],
  ['ETHBTC', 'ETH', 'BTC', 5, 4, 0.04, 0.15, [0.5, 60], 1, 36, 59, 6],
  // Mostly quiet: a quarter of its minutes has no trade at all.
  ['LTCBTC', 'LTC', 'BTC', 6, 3, 0.0012, 4, [50, 200], 1, 12, 45, 4],
];

const known: ReadonlyMap<string, SymbolProfile> = new Map(
  rows.map(
    ([symbol, baseAsset, quoteAsset, tickDecimals, lotDecimals, price, usual, shown, ...rates]) => [
      symbol,
      {
        symbol,
        baseAsset,
        quoteAsset,
        tickDecimals,
        lotDecimals,
        basePrice: Math.round(price * 10 ** tickDecimals),
        usualLots: Math.round(usual * 10 ** lotDecimals),
        shownLots: [
          Math.round(shown[0] * 10 ** lotDecimals),
          Math.round(shown[1] * 10 ** lotDecimals),
        ],
        spread: rates[0],
        tradesPerMinute: rates[1],
        activeMinutes: rates[2],
        tickersPerSecond: rates[3],
        minimumNotional: quoteAsset === 'BTC' ? '0.00010000' : '5.00000000',
        patternCount: 64,
      },
    ],
  ),
);

/** The symbols that the simulator knows by name. */
export const knownSymbols: readonly string[] = rows.map(([symbol]) => symbol);

const quoteAssets = ['USDT', 'USDC', 'FDUSD', 'BTC', 'ETH', 'BNB', 'EUR', 'TRY'];

/** How a symbol trades; one that is not known by name trades in a way that its name decides. */
export function profileOf(symbol: string): SymbolProfile {
  return known.get(symbol) ?? inventProfile(symbol);
}

function inventProfile(symbol: string): SymbolProfile {
  const seed = seedOf(symbol);
  const quoteAsset =
    quoteAssets.find((asset) => symbol.endsWith(asset) && symbol !== asset) ?? 'USDT';
  const isSuffix = symbol.endsWith(quoteAsset) && symbol !== quoteAsset;
  const tickDecimals = 2 + (hashAt(seed, 1) % 5);
  return {
    symbol,
    baseAsset: isSuffix ? symbol.slice(0, -quoteAsset.length) : symbol,
    quoteAsset,
    tickDecimals,
    lotDecimals: hashAt(seed, 2) % 4,
    basePrice: 1_000 + (hashAt(seed, 3) % 99_000),
    usualLots: 50 + (hashAt(seed, 4) % 5_000),
    shownLots: [100, 20_000],
    spread: 1 + (hashAt(seed, 5) % 3),
    tradesPerMinute: 30,
    activeMinutes: 55,
    tickersPerSecond: 2,
    minimumNotional: quoteAsset === 'BTC' ? '0.00010000' : '5.00000000',
    // Fewer than the known ones have, so that a thousand of them fit in memory.
    patternCount: 16,
  };
}

/**
 * Whether a text could be a symbol: letters and digits of any script, in upper case where there is
 * one, as on Binance (这是测试币456 is one of theirs).
 */
export function isSymbol(text: string): boolean {
  return /^[\p{L}\p{N}_.-]{2,40}$/u.test(text) && text === text.toUpperCase();
}
