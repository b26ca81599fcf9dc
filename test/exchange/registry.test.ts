import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exchanges } from '../../src/exchange/registry.ts';
import { aBookTickerPayload, aFrame, anAggTradePayload } from '../support/binance-frames.ts';
import { noon } from '../support/builders.ts';
import { aCoinbaseTicker, aHeartbeat, aMatch } from '../support/coinbase-frames.ts';
import { aKrakenTrade, aTickerFrame, aTradeFrame } from '../support/kraken-frames.ts';

const symbols = Array.from({ length: 3000 }, (_, index) => `S${index}USDT`);
const long = Array.from({ length: 100 }, (_, index) => `${'测'.repeat(20)}${index}`);

const json = fc.jsonValue().map((value) => JSON.stringify(value));

/** A good frame of each exchange, and frames that are nearly good. */
const frames: Readonly<Record<string, { good: string; nearlyGood: fc.Arbitrary<string> }>> = {
  binance: {
    good: aFrame(anAggTradePayload()),
    nearlyGood: fc
      .tuple(
        fc.constantFrom('E', 's', 'a', 'p', 'q', 'f', 'l', 'T', 'm', 'u', 'b', 'B', 'A'),
        fc.jsonValue(),
      )
      .chain(([key, value]) =>
        fc.constantFrom(anAggTradePayload({ [key]: value }), aBookTickerPayload({ [key]: value })),
      )
      .map(aFrame),
  },
  coinbase: {
    good: JSON.stringify(aMatch()),
    nearlyGood: fc
      .tuple(
        fc.constantFrom('type', 'trade_id', 'price', 'size', 'side', 'time', 'product_id'),
        fc.constantFrom('sequence', 'best_bid', 'best_ask_size', 'channels', 'last_trade_id'),
        fc.jsonValue(),
      )
      .chain(([key, other, value]) =>
        fc.constantFrom<object>(
          aMatch({ [key]: value }),
          aCoinbaseTicker({ [other]: value }),
          { ...aHeartbeat(1), [other]: value },
          { type: 'subscriptions', [other]: value },
          { type: 'error', message: value, reason: value },
        ),
      )
      .map((frame) => JSON.stringify(frame)),
  },
  kraken: {
    good: aTradeFrame(aKrakenTrade()),
    nearlyGood: fc
      .tuple(
        fc.constantFrom(
          'symbol',
          'side',
          'price',
          'qty',
          'trade_id',
          'timestamp',
          'bid',
          'ask_qty',
        ),
        json,
      )
      .chain(([key, value]) =>
        fc.constantFrom(
          aTradeFrame(aKrakenTrade({ [key]: value }), value),
          aTickerFrame({ [key]: value }),
          `{"channel":"trade","type":"update","data":${value}}`,
          `{"method":"subscribe","success":${value},"result":${value},"error":${value}}`,
        ),
      ),
  },
};

/** What a frame may hold where the exchange, or somebody between, has lost its mind. */
const anyFrame = fc.oneof(
  fc.string(),
  fc.json(),
  fc
    .dictionary(
      fc.constantFrom('stream', 'data', 'e', 's', 'u', 'a', 'b', 'type', 'channel', 'method'),
      fc.jsonValue(),
    )
    .map((fields) => JSON.stringify(fields)),
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
      const { streamsPerConnection } = exchange.facts.limits;
      for (const { path, symbols, streams } of subscriptions) {
        expect(symbols.length).toBeLessThanOrEqual(symbolsPerConnection);
        expect(path.length).toBeLessThan(8000);
        expect([...streams.keys()]).toEqual(symbols);
        expect([...streams.values()].flat().length).toBeLessThanOrEqual(streamsPerConnection);
      }
    },
  );

  test('reads any frame at all without throwing, and goes on', () => {
    const { good = '', nearlyGood = anyFrame } = frames[protocol] ?? {};
    const decoder = exchange.createDecoder({ exchange: 'x' });
    fc.assert(
      fc.property(fc.oneof(anyFrame, nearlyGood), (text) => {
        decoder.decode(text, noon);
      }),
      { numRuns: 2000 },
    );
    expect([decoder.decode(good, noon)].flat()).toMatchObject([{ type: 'trade' }]);
  });
});
