import { splitInstrumentName } from '../domain/instrument.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import { Refusal } from '../domain/refusal.ts';
import type { InstrumentDirectory } from './instrument-directory.ts';

/** Where instruments that are known by a number alone live. */
const externalExchange = 'external';
const maximumSymbolBytes = 64;
/** Control and format characters, spaces: two names must not look the same. */
const unprintable = /[\p{Cc}\p{Cf}\p{Z}]/u;
/** The longest exchange name that a row holds. */
const maximumExchangeBytes = 32;

/**
 * The instrument that a client means for its executions: one that the server follows, as elsewhere;
 * or any other by its full name, exchange:SYMBOL, as they may have been booked from outside; or a
 * number alone.
 * @throws Refusal naming the field
 */
export function positionInstrument(
  directory: InstrumentDirectory,
  field: string,
  text: string,
): InstrumentName {
  if (/^[0-9]{1,19}$/.test(text)) return `${externalExchange}:${text}`;
  const { exchange, symbol } = splitInstrumentName(text);
  const bytes = Buffer.byteLength(symbol);
  if (bytes === 0 || bytes > maximumSymbolBytes || unprintable.test(text)) {
    throw new Refusal(
      'invalid',
      `${field}: expected exchange:SYMBOL, the symbol of 1 to ${maximumSymbolBytes} printable bytes without spaces, got ${JSON.stringify(text.slice(0, 80))}`,
      { field },
    );
  }
  const followed = directory.find(text);
  if (followed !== undefined) return followed;
  if (exchange === undefined || exchange.length > maximumExchangeBytes)
    return directory.resolve(field, text);
  return text;
}
