import { instrumentName } from '../../src/domain/instrument.ts';

/** The nine symbols that `npm start` follows. */
export const symbols = [
  'BTCUSDT',
  'ETHUSDT',
  'PEPEUSDT',
  'BNBUSDT',
  'LTCBTC',
  'ETHBTC',
  'SOLUSDT',
  'TONUSDT',
  'DOGEUSDT',
];

export const instruments = symbols.map((symbol) => instrumentName('binance', symbol));

export type BusyMarket = {
  /** Noon of the first day of 2026, UTC, in µs. */
  readonly start: number;
  /** Combined-stream frames of @aggTrade, in order. */
  readonly frames: readonly string[];
  /** When each is received, in µs. */
  readonly receivedTimes: readonly number[];
};

/**
 * Frames as Binance writes them, of nine symbols in turn: `perSecond` trades in a second of market
 * time, prices that wander by ticks, one to three single trades in each.
 */
export function busyMarket(count: number, perSecond: number): BusyMarket {
  const start = Date.UTC(2026, 0, 1, 12) * 1000;
  const random = xorshift(88_172_645);
  const states = symbols.map((symbol, index) => ({
    symbol,
    stream: `${symbol.toLowerCase()}@aggTrade`,
    id: 1_000_000 * (index + 1),
    single: 3_000_000 * (index + 1),
    cents: 100_000 * (index + 2),
  }));
  const frames: string[] = [];
  const receivedTimes: number[] = [];
  for (let index = 0; index < count; index++) {
    const state = states[index % states.length];
    if (state === undefined) continue;
    const time = start + Math.floor((index * 1e6) / perSecond);
    const singles = 1 + (random() % 3);
    state.cents += (random() % 5) - 2;
    const data = {
      e: 'aggTrade',
      E: Math.floor(time / 1000) + 1,
      s: state.symbol,
      a: state.id++,
      p: (state.cents / 100).toFixed(8),
      q: ((1 + (random() % 100_000)) / 1e5).toFixed(8),
      f: state.single,
      l: state.single + singles - 1,
      T: Math.floor(time / 1000),
      m: random() % 2 === 0,
      M: true,
    };
    state.single += singles;
    frames.push(JSON.stringify({ stream: state.stream, data }));
    receivedTimes.push(time + 5_000);
  }
  return { start, frames, receivedTimes };
}

/** A small generator of numbers that are the same in each run. */
function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}
