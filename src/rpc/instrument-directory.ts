import { splitInstrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import { simulatedPrefix } from '../domain/mode.ts';
import { Refusal } from '../domain/refusal.ts';

/** How many known names a refusal lists. */
const listedNames = 20;

type FollowedNames = {
  readonly exchanges: readonly ExchangeName[];
  readonly instruments: readonly InstrumentName[];
};

/**
 * Finds the instruments that clients name, as tradewind.market.v1.MarketService says: a name means an
 * instrument of the mode that is on, and one of the other mode only where it is that one's full name.
 */
export class InstrumentDirectory {
  readonly #all: ReadonlySet<InstrumentName>;
  readonly #allNames: readonly InstrumentName[];
  #defaultExchange: ExchangeName;
  #names: readonly InstrumentName[];
  #known: ReadonlySet<InstrumentName>;

  /** `others` are the instruments of the other mode. */
  constructor(
    names: readonly InstrumentName[],
    defaultExchange: ExchangeName,
    others: readonly InstrumentName[] = [],
  ) {
    this.#all = new Set([...names, ...others]);
    this.#allNames = [...this.#all].toSorted();
    this.#defaultExchange = defaultExchange;
    this.#names = names.toSorted();
    this.#known = new Set(names);
  }

  /** The instruments of the mode that is on, by name; another array after each switch. */
  get names(): readonly InstrumentName[] {
    return this.#names;
  }

  /** Those of both modes, by name. */
  get allNames(): readonly InstrumentName[] {
    return this.#allNames;
  }

  /** Whether it is the full name of one of them, of either mode. */
  has(name: InstrumentName): boolean {
    return this.#all.has(name);
  }

  /** Where bare symbols are looked up. */
  get defaultExchange(): ExchangeName {
    return this.#defaultExchange;
  }

  /**
   * Another mode is on: from now on names mean its instruments, which were known before, and bare
   * symbols those of its first exchange.
   */
  switchTo({ exchanges, instruments }: FollowedNames): void {
    this.#defaultExchange = exchanges[0] ?? '';
    this.#names = instruments.toSorted();
    this.#known = new Set(instruments);
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
    const { exchange = this.#defaultExchange, symbol } = splitInstrumentName(text);
    const named = (candidate: string, known: ReadonlySet<InstrumentName>) =>
      [symbol, symbol.toUpperCase()]
        .map((spelling) => `${candidate}:${spelling}`)
        .find((name) => known.has(name));
    return (
      named(exchange, this.#known) ??
      named(simulatedPrefix + exchange, this.#known) ??
      named(exchange, this.#all)
    );
  }

  /** Several at once; none named means all, those of the other mode as well. */
  resolveAll(field: string, texts: readonly string[]): readonly InstrumentName[] {
    if (texts.length === 0) return this.#allNames;
    return [...new Set(texts.map((text) => this.resolve(field, text)))];
  }
}
