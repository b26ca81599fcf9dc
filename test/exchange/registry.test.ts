import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exchanges } from '../../src/exchange/registry.ts';
import { aBookTickerPayload, aFrame, anAggTradePayload } from '../support/binance-frames.ts';
import { noon } from '../support/builders.ts';

const symbols = Array.from({ length: 3000 }, (_, index) => `S${index}USDT`);
const long = Array.from({ length: 100 }, (_, index) => `${'测'.repeat(20)}${index}`);

/** What a frame may hold where the exchange, or somebody between, has lost its mind. */
const frame = fc.oneof(
  fc.string(),
  fc.json(),
  fc
    .dictionary(fc.constantFrom('stream', 'data', 'e', 's', 'u', 'a', 'b'), fc.jsonValue())
    .map((fields) => JSON.stringify(fields)),
  fc
    .tuple(
      fc.constantFrom('E', 's', 'a', 'p', 'q', 'f', 'l', 'T', 'm', 'u', 'b', 'B', 'A'),
      fc.jsonValue(),
    )
    .chain(([key, value]) =>
      fc.constantFrom(anAggTradePayload({ [key]: value }), aBookTickerPayload({ [key]: value })),
    )
    .map(aFrame),
);

describe.each([...exchanges])('the exchange %s', (protocol, exchange) => {
  test('goes by its own name', () => {
    expect(exchange.protocol).toBe(protocol);
  });

  test.each([
    ['one symbol a connection', symbols, 1],
    ['fifty symbols a connection', symbols, 50],
    ['more symbols a connection than it allows', symbols, 5000],
    ['long names in other scripts', long, 50],
  ])(
    'spreads each symbol to one connection within its limits: %s',
    (_name, symbols, symbolsPerConnection) => {
      const subscriptions = exchange.subscriptions(symbols, {
        timeUnit: 'millisecond',
        symbolsPerConnection,
        ownSymbol: (symbol) => symbol,
      });
      expect(subscriptions.flatMap((subscription) => subscription.symbols)).toEqual(symbols);
      for (const { path, symbols } of subscriptions) {
        expect(symbols.length).toBeLessThanOrEqual(symbolsPerConnection);
        expect(path.length).toBeLessThan(8000);
        expect(path.split('@').length - 1).toBeLessThanOrEqual(
          exchange.facts.limits.streamsPerConnection,
        );
      }
    },
  );

  test('reads any frame at all without throwing, and goes on', () => {
    const decoder = exchange.createDecoder({ exchange: 'x' });
    fc.assert(
      fc.property(frame, (text) => {
        decoder.decode(text, noon);
      }),
      { numRuns: 2000 },
    );
    expect(decoder.decode(aFrame(anAggTradePayload()), noon)).toMatchObject({ type: 'trade' });
  });
});
