import type { MinutePattern } from './minute-pattern.ts';
import type { Random } from './random.ts';
import type { SymbolProfile } from './symbol-profile.ts';
import { secondMicros } from './symbol-time.ts';

export function tickersPerMinute(profile: SymbolProfile): number {
  return profile.tickersPerSecond * 60;
}

export type Book = Pick<
  MinutePattern,
  'tickerTimes' | 'bidOffsets' | 'spreads' | 'bidLots' | 'askLots'
>;

/**
 * The best bid and ask: every second begins with a ticker at the second's level, the others are
 * spread over it. Each changes a side; about half of them leave the bid as it was.
 */
export function makeBook(random: Random, profile: SymbolProfile): Book {
  const { tickersPerSecond, spread, shownLots, basePrice } = profile;
  const count = tickersPerMinute(profile);
  const book = {
    tickerTimes: new Int32Array(count),
    bidOffsets: new Int32Array(count),
    spreads: new Int32Array(count),
    bidLots: new Float64Array(count),
    askLots: new Float64Array(count),
  };
  const step = Math.max(1, Math.round(basePrice * 0.000_01));
  const shown = () => random.integer(...shownLots);
  let [bidOffset, currentSpread, bidLots, askLots] = [0, spread, shown(), shown()];
  for (let index = 0; index < count; index++) {
    const inSecond = index % tickersPerSecond;
    const slot = secondMicros / tickersPerSecond;
    const start = Math.floor(index / tickersPerSecond) * secondMicros;
    const late = inSecond === 0 ? 0 : Math.floor(random.fraction() * slot * 0.9);
    book.tickerTimes[index] = start + Math.floor(inSecond * slot) + late;
    const kind = random.fraction();
    if (inSecond === 0) {
      [bidOffset, currentSpread, bidLots, askLots] = [0, spread, shown(), shown()];
    } else if (kind < 0.4) {
      bidLots = shown();
    } else if (kind < 0.85) {
      askLots = shown();
    } else {
      bidOffset = Math.max(-3 * step, Math.min(3 * step, bidOffset + random.integer(-1, 1) * step));
      currentSpread = spread + (random.chance(0.2) ? random.integer(1, 3) * spread : 0);
      [bidLots, askLots] = [shown(), shown()];
    }
    book.bidOffsets[index] = bidOffset;
    book.spreads[index] = currentSpread;
    book.bidLots[index] = bidLots;
    book.askLots[index] = askLots;
  }
  return book;
}
