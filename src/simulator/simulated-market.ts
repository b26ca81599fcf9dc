import type { Micros } from '../base/clock.ts';
import { framesOf } from './frame.ts';
import type { Frame } from './frame.ts';
import { openSymbol } from './simulated-symbol.ts';
import type { SimulatedSymbol } from './simulated-symbol.ts';
import type { StreamKind } from './stream.ts';

/** Symbols kept ready, more than can be subscribed at once. Beyond that the one made first is forgotten: it can be made again. */
const keptSymbols = 1_100;

/** All symbols of one seed: any name that is asked for trades. */
export class SimulatedMarket {
  readonly seed: string;
  readonly #symbols = new Map<string, SimulatedSymbol>();

  constructor(seed: string) {
    this.seed = seed;
  }

  symbol(name: string): SimulatedSymbol {
    let symbol = this.#symbols.get(name);
    if (symbol !== undefined) return symbol;
    if (this.#symbols.size >= keptSymbols) this.#forgetOne();
    symbol = openSymbol(this.seed, name);
    this.#symbols.set(name, symbol);
    return symbol;
  }

  #forgetOne(): void {
    for (const { name, tape } of this.#symbols.values()) {
      // What was injected cannot be made again.
      if (tape.isTouched) continue;
      this.#symbols.delete(name);
      return;
    }
  }

  /** The symbols whose generated market is paused. */
  paused(): readonly string[] {
    return [...this.#symbols.values()].filter(({ tape }) => tape.isPaused).map(({ name }) => name);
  }

  /** What these streams send within (from, to], in order of time. */
  frames(
    streams: ReadonlyMap<string, ReadonlySet<StreamKind>>,
    from: Micros,
    to: Micros,
  ): readonly Frame[] {
    const frames: Frame[] = [];
    for (const [name, kinds] of streams) {
      for (const frame of framesOf(this.symbol(name), kinds, from, to)) frames.push(frame);
    }
    return frames.toSorted((a, b) => a.sentTime - b.sentTime);
  }
}
