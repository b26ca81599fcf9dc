import type { MarketUpdate } from './market-update.ts';

/** What the market counted since it began. */
export type MarketCounters = {
  trades: number;
  duplicateTrades: number;
  /** Trades that came because they were asked for, as they were missing. */
  recoveredTrades: number;
  /** Trades with a time that cannot be. */
  implausibleTrades: number;
  bookTickers: number;
  /** Book tickers that were not newer than the last one. */
  staleBookTickers: number;
  /** Events of instruments that no connection announced. */
  unknownInstruments: number;
  candlesClosed: number;
  candlesRevised: number;
  gapsFound: number;
  gapsFilled: number;
  gapsAbsent: number;
};

export const zeroCounters = (): MarketCounters => ({
  trades: 0,
  duplicateTrades: 0,
  recoveredTrades: 0,
  implausibleTrades: 0,
  bookTickers: 0,
  staleBookTickers: 0,
  unknownInstruments: 0,
  candlesClosed: 0,
  candlesRevised: 0,
  gapsFound: 0,
  gapsFilled: 0,
  gapsAbsent: 0,
});

/** Counts what was published. */
export function countUpdate(counters: MarketCounters, update: MarketUpdate): void {
  if (update.type === 'candle' && update.candle.isClosed) {
    counters.candlesClosed++;
    if (update.candle.revision > 1) counters.candlesRevised++;
  } else if (update.type === 'gap') {
    if (update.state === 'open') counters.gapsFound++;
    if (update.state === 'filled') counters.gapsFilled++;
    if (update.state === 'absent') counters.gapsAbsent++;
  }
}
