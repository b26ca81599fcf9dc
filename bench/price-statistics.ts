// What a statistic costs: the window put together from what the market holds, and its averages.
import type { Clock, Micros } from '../src/base/clock.ts';
import { systemClock } from '../src/base/clock.ts';
import { PriceBook } from '../src/market/price-book.ts';
import { heldMarket } from './support/held-market.ts';
import { median, report, timeOf } from './support/rounds.ts';

const second: Micros = 1_000_000;
const day = 86_400 * second;
const instrument = 'binance:BTCUSDT';
const start = Date.UTC(2026, 0, 1) * 1000;
const rounds = 7;
const questions = 20_000;

console.log(
  `Price statistics: CPU time of one core; median of ${rounds} rounds of ${questions} questions`,
);
// Every second has a trade, for a week and an hour.
const end = start + 7 * day + 3_600 * second;
for (const [name, now, periodOf] of [
  ['1 s to 70 min, by the second', end - second / 2 + 37 * second, secondly],
  ['1 min to 7 days, by the minute', end - second / 2 + 60 * second, minutely],
] as const) {
  const market = heldMarket(instrument, start, now);
  const clock: Clock = { ...systemClock, now: () => now };
  const book = new PriceBook({ market, stored: undefined, clock });
  const nanoseconds = Array.from({ length: rounds }, (_, round) => {
    const periods = Array.from({ length: questions }, (_unused, index) => periodOf(index, round));
    return timeOf(() => {
      for (const period of periods) {
        const statistics = book.statistics([instrument], period);
        if (statistics instanceof Promise) throw new Error('Expected memory to hold the window');
        if (!statistics.isComplete) throw new Error(statistics.reason);
      }
    });
  });
  const micros = median(nanoseconds) / 1000 / questions;
  report(`at most 5 µs for any of ${name}`, `${micros.toFixed(2)} µs on average`, micros <= 5);
}

function secondly(index: number, round: number): Micros {
  return (1 + ((index * 7919 + round) % 4190)) * second;
}

function minutely(index: number, round: number): Micros {
  return (1 + ((index * 7919 + round) % 10_079)) * 60 * second;
}
