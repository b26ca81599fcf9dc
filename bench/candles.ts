// The candle code alone: decoded trades in, all 16 timeframes out, exact.
import { Market } from '../src/market/market.ts';
import { createBinanceDecoder } from '../src/exchange/binance.ts';
import { busyMarket, instruments } from './support/busy-market.ts';
import { median, report, timeOf } from './support/rounds.ts';

const count = 300_000;
const rounds = 7;

console.log(
  'Candles: trades → Market, CPU time of one core, no readers; median of 7 rounds of 300,000 trades',
);
for (const perSecond of [270, 2_700, 27_000]) {
  const { start, frames, receivedTimes } = busyMarket(count, perSecond);
  const decoder = createBinanceDecoder({ exchange: 'binance' });
  const trades = frames.flatMap(
    (frame, index) => decoder.decode(frame, receivedTimes[index] ?? 0) ?? [],
  );
  let closed = 0;
  const seconds = Array.from({ length: rounds }, () => {
    const market = new Market({
      run: start,
      publish: (update) => {
        if (update.type === 'candle') closed++;
      },
    });
    market.handle({ type: 'connectionOpened', connection: '1', instruments, receivedTime: start });
    const nanoseconds = timeOf(() => {
      for (const trade of trades) market.handle(trade);
    });
    if (market.counters.trades !== count) throw new Error('Expected every trade to count');
    return nanoseconds / 1e9;
  });
  const rate = count / median(seconds);
  report(
    `at least 3 million trades/s at ${perSecond / instruments.length} trades/s an instrument`,
    `${(rate / 1e6).toFixed(2)} million trades/s (${Math.round(closed / rounds)} candles closed)`,
    rate >= 3e6,
  );
}
