import { QuoteBoard } from './quote-board.ts';
import { SymbolMarket } from './symbol-market.ts';
import { profileOf } from './symbol-profile.ts';
import { Tape } from './tape.ts';

/** A symbol as clients see it: the generated market, and what is done to it by hand. */
export type SimulatedSymbol = {
  readonly name: string;
  /** The generated market alone. */
  readonly market: SymbolMarket;
  readonly tape: Tape;
  readonly board: QuoteBoard;
};

export function openSymbol(seed: string, name: string): SimulatedSymbol {
  const market = new SymbolMarket(seed, profileOf(name));
  return { name, market, tape: new Tape(market), board: new QuoteBoard(market) };
}
