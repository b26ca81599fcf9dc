import { splitInstrumentName } from '../../domain/instrument.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { InstrumentDirectory } from '../instrument-directory.ts';

/** Where instruments that are known by a number alone live. */
const externalExchange = 'external';
/** What a 64-bit number holds, as those who number their instruments do. */
const largestNumber = 2n ** 63n - 1n;
const maximumSymbolBytes = 64;
/** Control and format characters, spaces: two names must not look the same. */
const unprintable = /[\p{Cc}\p{Cf}\p{Z}]/u;
/** The longest exchange name that a row holds. */
const maximumExchangeBytes = 32;

/**
 * The instrument that a client means for its executions. A full name, exchange:SYMBOL, means itself
 * whatever mode is on and whatever is followed: what is booked stands for ever, so that the name of a
 * real exchange never becomes its simulated twin's. Only a bare symbol is looked up among what is
 * followed now. A number alone is an instrument of its own.
 * @throws Refusal naming the field
 */
export function positionInstrument(
  directory: InstrumentDirectory,
  field: string,
  text: string,
): InstrumentName {
  if (/^\d+$/u.test(text)) return `${externalExchange}:${numberOf(field, text)}`;
  const { exchange, symbol: written } = splitInstrumentName(text);
  const symbol = symbolOf(directory, exchange, written);
  const bytes = Buffer.byteLength(symbol);
  if (bytes === 0 || bytes > maximumSymbolBytes || unprintable.test(text)) {
    throw new Refusal(
      'invalid',
      `${field}: expected exchange:SYMBOL, the symbol of 1 to ${maximumSymbolBytes} printable bytes without spaces, got ${JSON.stringify(text.slice(0, 80))}`,
      { field },
    );
  }
  if (exchange === undefined || exchange.length > maximumExchangeBytes)
    return directory.resolve(field, text);
  if (exchange === externalExchange && /^\d+$/u.test(symbol)) {
    return `${exchange}:${numberOf(field, symbol)}`;
  }
  return `${exchange}:${symbol}`;
}

/** "00123" is 123. @throws Refusal */
function numberOf(field: string, digits: string): bigint {
  // Longer ones would take their time to be read.
  const number = digits.length > maximumSymbolBytes ? largestNumber + 1n : BigInt(digits);
  if (number <= largestNumber) return number;
  throw new Refusal('invalid', `${field}: expected a number up to ${largestNumber}`, { field });
}

/** Exchanges write their symbols in capitals; others, and those that are not, stay as they are. */
function symbolOf(
  directory: InstrumentDirectory,
  exchange: string | undefined,
  symbol: string,
): string {
  if (exchange === undefined || exchange === externalExchange) return symbol;
  return directory.has(`${exchange}:${symbol}`) ? symbol : symbol.toUpperCase();
}
