import type { ExchangeName } from './instrument.ts';

/** Which market a server works on: the real exchanges, or their simulated twins. */
export type Mode = 'TEST' | 'LIVE';

export const modes: readonly Mode[] = ['TEST', 'LIVE'];

/** Simulated exchanges carry this before the name of the one that they stand for. */
export const simulatedPrefix = 'sim-';

/** What an exchange is called in a mode: "binance", or "sim-binance". */
export function nameInMode(mode: Mode, exchange: ExchangeName): ExchangeName {
  return mode === 'TEST' ? simulatedPrefix + exchange : exchange;
}
