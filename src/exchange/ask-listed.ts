import type { ListedInstrument } from './exchange.ts';
import { RestError } from './rest-error.ts';

/** Asks for some symbols at once, and adds those that the exchange knows. */
export type AskListed = (
  symbols: readonly string[],
  listed: Map<string, ListedInstrument>,
) => Promise<void>;

/**
 * Asks for all symbols, so many at once. One that the exchange does not know makes it refuse them all:
 * then each half is asked by itself, until that one is left, and left out.
 * @throws RestError
 */
export async function askListedInParts(
  symbols: readonly string[],
  symbolsPerQuestion: number,
  ask: AskListed,
): Promise<ReadonlyMap<string, ListedInstrument>> {
  const listed = new Map<string, ListedInstrument>();
  for (let start = 0; start < symbols.length; start += symbolsPerQuestion) {
    await askOrHalve(symbols.slice(start, start + symbolsPerQuestion), listed, ask);
  }
  return listed;
}

async function askOrHalve(
  symbols: readonly string[],
  listed: Map<string, ListedInstrument>,
  ask: AskListed,
): Promise<void> {
  try {
    await ask(symbols, listed);
  } catch (error) {
    if (!(error instanceof RestError) || error.kind !== 'refused') throw error;
    if (symbols.length === 1) return;
    const half = Math.ceil(symbols.length / 2);
    await askOrHalve(symbols.slice(0, half), listed, ask);
    await askOrHalve(symbols.slice(half), listed, ask);
  }
}
