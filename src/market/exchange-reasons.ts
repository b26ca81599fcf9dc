import type { ExchangeName } from '../domain/instrument.ts';

/** Why something is not all, or not known: what is the same on several exchanges is said once. */
export class ExchangeReasons {
  #byWords: Map<string, ExchangeName[]> | undefined;

  /** Most have nothing to say, and cost nothing. */
  get isEmpty(): boolean {
    return this.#byWords === undefined;
  }

  add(exchange: ExchangeName, words: string): void {
    this.#byWords ??= new Map();
    const exchanges = this.#byWords.get(words);
    if (exchanges === undefined) this.#byWords.set(words, [exchange]);
    else exchanges.push(exchange);
  }

  /** "binance, coinbase: not all is known; kraken: cut"; empty where there is nothing to say. */
  toString(): string {
    if (this.#byWords === undefined) return '';
    return [...this.#byWords]
      .map(([words, exchanges]) => `${exchanges.join(', ')}: ${words}`)
      .join('; ');
  }
}
