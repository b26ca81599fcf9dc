import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createBinanceDecoder } from '../../../src/exchange/binance.ts';
import { aBookTickerPayload, aFrame, anAggTradePayload } from '../../support/binance-frames.ts';
import { noon } from '../../support/builders.ts';

const receivedTime = noon;

/** A decoder that has seen each stream once, so that it scans. */
function openScanning() {
  const decoder = createBinanceDecoder({ exchange: 'binance' });
  decoder.decode(aFrame(anAggTradePayload()), receivedTime);
  decoder.decode(aFrame(aBookTickerPayload()), receivedTime);
  return decoder;
}

/** A decoder that has seen nothing reads the frame the careful way. */
function decodeCarefully(frame: string) {
  return createBinanceDecoder({ exchange: 'binance' }).decode(frame, receivedTime);
}

const decimal = fc.oneof(
  fc.stringMatching(/^\d{1,15}\.\d{8}$/),
  // About as much as a number holds exactly, and a little more.
  fc.stringMatching(/^9[1-9]\d{5,7}\.\d{7}[1357]$/),
  // The same digits with the point elsewhere, and with zeros behind it.
  fc.stringMatching(/^125\.0{1,3}$|^12\.50?$|^1\.0{0,3}25$/),
  fc.stringMatching(/^\d{1,16}(\.\d{1,19})?$/),
  fc.constantFrom('0', '0.0', '.5', '5.', '1e5', '', '-1.0', '+1.0', ' 1.0', '00.10', '1..0'),
);
const integer = fc.oneof(
  fc.nat({ max: 2 ** 40 }),
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(2 ** 53 - 1, 2 ** 53, 1e21, 1.5),
);
const time = fc.oneof(fc.integer({ min: noon / 1000 - 1e6, max: noon / 1000 + 1e6 }), integer);
const aggTrade = fc
  .record({
    E: time,
    a: integer,
    p: decimal,
    q: decimal,
    f: integer,
    l: integer,
    T: time,
    m: fc.boolean(),
    M: fc.boolean(),
  })
  .map((fields) =>
    aFrame(anAggTradePayload({ ...fields, l: fields.f + (Math.abs(fields.l) % 9) })),
  );
const bookTicker = fc
  .record({ u: integer, b: decimal, B: decimal, a: decimal, A: decimal })
  .map((fields) => aFrame(aBookTickerPayload(fields)));
const mutation = fc.record({
  at: fc.nat({ max: 260 }),
  remove: fc.integer({ min: 0, max: 3 }),
  insert: fc.oneof(
    fc.constant(''),
    fc.constantFrom('0', ' ', '"', '}', ',', '.', '\\', 'e'),
    fc.string({ maxLength: 2 }),
  ),
});

test('the scanner reads a frame as the careful way does, also a damaged one', () => {
  const decoder = openScanning();
  fc.assert(
    fc.property(
      fc.oneof(aggTrade, bookTicker),
      fc.option(mutation, { nil: undefined }),
      (frame, damage) => {
        const text =
          damage === undefined
            ? frame
            : frame.slice(0, damage.at) + damage.insert + frame.slice(damage.at + damage.remove);
        expect(decoder.decode(text, receivedTime)).toEqual(decodeCarefully(text));
      },
    ),
    { numRuns: 5000 },
  );
});
