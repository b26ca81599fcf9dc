import type { HistoryEvent } from '../domain/market-event.ts';
import type { Trade } from '../domain/trade.ts';
import type { CandleSeries } from './candle-series.ts';

/**
 * Tells a series what was asked for because it was missed.
 * @returns the trades among it that had not been seen
 */
export function tellHistory(series: CandleSeries, event: HistoryEvent): readonly Trade[] {
  switch (event.type) {
    case 'recoveredTrades':
      return series.recover(event.trades, event.wholeFrom, event.receivedTime);
    case 'absentTrades':
      series.giveUp(event.firstId, event.lastId, event.isNothingMissing ? 'settled' : 'absent');
      return [];
    case 'knownCandles':
      series.settle(event.timeframe, event.candles, event.isStored);
      return [];
    case 'historyRead': {
      const { settledBefore, settledBelowId, from } = event;
      series.settleHoles(settledBefore, settledBelowId);
      series.rebuild(from);
      return [];
    }
    default:
      return event satisfies never;
  }
}
