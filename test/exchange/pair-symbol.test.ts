import { describe, expect, test } from 'vitest';
import { binance } from '../../src/exchange/binance.ts';
import { coinbase } from '../../src/exchange/coinbase.ts';
import { kraken } from '../../src/exchange/kraken.ts';

describe('Coinbase’s own spelling', () => {
  test.each([
    ['btcusd', 'BTC-USD'],
    ['BTC-USD', 'BTC-USD'],
    ['btc-usd', 'BTC-USD'],
    ['BTCUSDT', 'BTC-USDT'],
    ['btcusdc', 'BTC-USDC'],
    ['USDTUSD', 'USDT-USD'],
    ['ethbtc', 'ETH-BTC'],
    ['eth/eur', 'ETH-EUR'],
    ['eth_eur', 'ETH-EUR'],
    // Of a quote currency that is not known, only the separator tells.
    ['FOO-BAR', 'FOO-BAR'],
    ['FOOBAR', 'FOOBAR'],
    ['USD', 'USD'],
  ])('%s is %s', (text, own) => {
    expect(coinbase.ownSymbolOf(text)).toBe(own);
    expect(coinbase.symbolOf(text)).toBe(own.replace('-', ''));
  });
});

test.each(['BTC-USDT', 'btc/usdt', 'btcusdt'])('Binance knows what is meant by %s', (text) => {
  expect([binance.symbolOf(text), binance.ownSymbolOf(text)]).toEqual(['BTCUSDT', 'BTCUSDT']);
});

describe('Kraken’s own spelling', () => {
  test.each([
    ['btcusd', 'BTC/USD'],
    ['BTC-USD', 'BTC/USD'],
    ['XBT/USD', 'BTC/USD'],
    ['xbtusd', 'BTC/USD'],
    ['ETHXBT', 'ETH/BTC'],
    ['XDGUSD', 'DOGE/USD'],
    ['dogeusdt', 'DOGE/USDT'],
  ])('%s is %s', (text, own) => {
    expect(kraken.ownSymbolOf(text)).toBe(own);
    expect(kraken.symbolOf(text)).toBe(own.replace('/', ''));
  });
});

test('currencies that are worth the same are not the same', () => {
  const symbols = ['BTCUSD', 'BTCUSDT', 'BTCUSDC'];
  for (const exchange of [binance, coinbase, kraken]) {
    expect(new Set(symbols.map((symbol) => exchange.symbolOf(symbol))).size).toBe(3);
  }
});
