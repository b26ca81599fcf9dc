import { splitInstrumentName } from '../../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../../domain/instrument.ts';
import { simulatedPrefix } from '../../domain/mode.ts';
import { Refusal } from '../../domain/refusal.ts';

/** How many known names a refusal lists. */
const listedNames = 20;

/** One symbol, and its instruments by exchange. */
export type PricedSymbol = {
  readonly symbol: string;
  readonly instruments: readonly InstrumentName[];
};

type Listing = ReadonlyMap<string, ReadonlyMap<ExchangeName, InstrumentName>>;

/**
 * Finds the instruments that a symbol and perhaps an exchange name: a bare symbol means all exchanges.
 * What is followed may change while the server runs.
 */
export class PriceInstruments {
  readonly #namesNow: () => readonly InstrumentName[];
  #names: readonly InstrumentName[] = [];
  #listing: Listing = new Map();

  constructor(namesNow: () => readonly InstrumentName[]) {
    this.#namesNow = namesNow;
  }

  /**
   * The instruments of a symbol; an empty exchange means all of them.
   * @throws Refusal naming the field and what is known
   */
  find(symbol: string, exchange: string): PricedSymbol {
    const listing = this.#list();
    const named = splitInstrumentName(symbol);
    if (named.exchange !== undefined && exchange !== '' && named.exchange !== exchange) {
      throw new Refusal(
        'invalid',
        `exchange: expected ${named.exchange}, as in symbol, or none, got ${exchange}`,
        { field: 'exchange' },
      );
    }
    const spelling = [named.symbol, named.symbol.toUpperCase()].find((one) => listing.has(one));
    const known = spelling === undefined ? undefined : listing.get(spelling);
    if (spelling === undefined || known === undefined) {
      throw unknown('symbol', symbol, 'known', [...listing.keys()]);
    }
    const wanted = named.exchange ?? exchange;
    if (wanted === '') return { symbol: spelling, instruments: [...known.values()] };
    const instrument = known.get(wanted) ?? known.get(simulatedPrefix + wanted);
    if (instrument !== undefined) return { symbol: spelling, instruments: [instrument] };
    this.#checkExchange(wanted);
    throw unknown('symbol', spelling, `known on ${wanted}`, this.#symbolsOn(wanted));
  }

  /**
   * All symbols by name; of one exchange those that it has.
   * @throws Refusal for an exchange that is not known
   */
  all(exchange: string): readonly PricedSymbol[] {
    const listing = this.#list();
    if (exchange !== '') this.#checkExchange(exchange);
    const wanted = [exchange, simulatedPrefix + exchange];
    return [...listing].flatMap(([symbol, known]) => {
      const instruments = [...known]
        .filter(([name]) => exchange === '' || wanted.includes(name))
        .map(([, instrument]) => instrument);
      return instruments.length === 0 ? [] : [{ symbol, instruments }];
    });
  }

  /**
   * The instruments of several symbols, each once; no symbol means all.
   * @throws Refusal as find and all do
   */
  select(symbols: readonly string[], exchange: string): readonly InstrumentName[] {
    const found =
      symbols.length === 0
        ? this.all(exchange)
        : symbols.map((symbol) => this.find(symbol, exchange));
    return [...new Set(found.flatMap(({ instruments }) => instruments))];
  }

  /** The same, without what is not known: it was once, in another mode. */
  selectKnown(symbols: readonly string[], exchange: string): readonly InstrumentName[] {
    const wishes = symbols.length === 0 ? [[]] : symbols.map((symbol) => [symbol]);
    const found = wishes.flatMap((wish) => {
      try {
        return this.select(wish, exchange);
      } catch (error) {
        if (error instanceof Refusal) return [];
        throw error;
      }
    });
    return [...new Set(found)];
  }

  #checkExchange(exchange: string): void {
    const exchanges = new Set([...this.#list().values()].flatMap((known) => [...known.keys()]));
    if (exchanges.has(exchange) || exchanges.has(simulatedPrefix + exchange)) return;
    throw unknown('exchange', exchange, 'known', [...exchanges].toSorted());
  }

  #symbolsOn(exchange: ExchangeName): string[] {
    return this.all(exchange).map(({ symbol }) => symbol);
  }

  #list(): Listing {
    const names = this.#namesNow();
    if (names !== this.#names) {
      this.#names = names;
      this.#listing = listingOf(names);
    }
    return this.#listing;
  }
}

/** Symbols by name, each with its exchanges by name. */
function listingOf(names: readonly InstrumentName[]): Listing {
  const listing = new Map<string, Map<ExchangeName, InstrumentName>>();
  const entries = names
    .map((name) => ({ name, ...splitInstrumentName(name) }))
    .map(({ name, exchange = '', symbol }) => [symbol, exchange, name] as const)
    .toSorted((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]));
  for (const [symbol, exchange, name] of entries) {
    const known = listing.get(symbol);
    if (known === undefined) listing.set(symbol, new Map([[exchange, name]]));
    else known.set(exchange, name);
  }
  return listing;
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

function unknown(field: string, text: string, how: string, known: readonly string[]): Refusal {
  const listed = known.slice(0, listedNames).join(', ');
  const more = known.length > listedNames ? `, … (${known.length} in all)` : '';
  return new Refusal(
    'notFound',
    `${field}: ${JSON.stringify(text)} is not ${how}; ${how} are ${listed || 'none'}${more}`,
    { field },
  );
}
