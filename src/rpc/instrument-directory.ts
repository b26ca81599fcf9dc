import { splitInstrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import { Refusal } from '../domain/refusal.ts';

/** Simulated exchanges carry this before the name of the one they stand for. */
const simulatedPrefix = 'sim-';
/** How many known names a refusal lists. */
const listedNames = 20;

/** Finds the instruments that clients name, as tradewind.market.v1.MarketService says. */
export class InstrumentDirectory {
  readonly names: readonly InstrumentName[];
  readonly defaultExchange: ExchangeName;
  readonly #known: ReadonlySet<InstrumentName>;

  constructor(names: readonly InstrumentName[], defaultExchange: ExchangeName) {
    this.names = names.toSorted();
    this.defaultExchange = defaultExchange;
    this.#known = new Set(names);
  }

  /**
   * The full name of what a client called "BTCUSDT", "btcusdt", "binance:BTCUSDT" or
   * "sim-binance:BTCUSDT".
   * @throws Refusal naming the field and the known names
   */
  resolve(field: string, text: string): InstrumentName {
    const name = this.find(text);
    if (name !== undefined) return name;
    const listed = this.names.slice(0, listedNames).join(', ');
    const more = this.names.length > listedNames ? `, … (${this.names.length} in all)` : '';
    throw new Refusal(
      'notFound',
      `${field}: ${JSON.stringify(text)} is not known; known are ${listed || 'none'}${more}`,
      { field },
    );
  }

  /** The same; undefined where there is none. */
  find(text: string): InstrumentName | undefined {
    const { exchange = this.defaultExchange, symbol } = splitInstrumentName(text);
    for (const candidate of [exchange, simulatedPrefix + exchange]) {
      for (const spelling of [symbol, symbol.toUpperCase()]) {
        const name = `${candidate}:${spelling}`;
        if (this.#known.has(name)) return name;
      }
    }
    return undefined;
  }

  /** Several at once; none named means all. */
  resolveAll(field: string, texts: readonly string[]): readonly InstrumentName[] {
    if (texts.length === 0) return this.names;
    return [...new Set(texts.map((text) => this.resolve(field, text)))];
  }
}
