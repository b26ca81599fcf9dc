// What a statistic costs: the window put together from what the market holds, and its averages.
import type { Clock, Micros } from '../src/base/clock.ts';
import { systemClock } from '../src/base/clock.ts';
import type { Market } from '../src/market/market.ts';
import { PriceBook } from '../src/market/price-book.ts';
import { heldMarket, holdTrades } from './support/held-market.ts';
import { median, report, timeOf } from './support/rounds.ts';

const second: Micros = 1_000_000;
const day = 86_400 * second;
const instrument = 'binance:BTCUSDT';
const others = ['coinbase:BTCUSDT', 'exchange1:BTCUSDT', 'kraken:BTCUSDT'];
const start = Date.UTC(2026, 0, 1) * 1000;
const rounds = 7;
const questions = 20_000;

console.log(
  `Price statistics: CPU time of one core; median of ${rounds} rounds of ${questions} questions; every second of a week and an hour has a trade`,
);
const end = start + 7 * day + 3_600 * second;
const bySecond = end - second / 2 + 37 * second;
const byMinute = end - second / 2 + 60 * second;

/** The time of the windows that are asked for, and their periods: more than one would guess are alike. */
const ranges = [
  { name: '1 s to 70 min, by the second', now: bySecond, step: second, count: 4_190 },
  { name: '1 min to 7 days, by the minute', now: byMinute, step: 60 * second, count: 10_079 },
] as const;

for (const { name, now, step, count } of ranges) {
  const book = bookOf(heldMarket(instrument, start, now), now);
  const nanoseconds = Array.from({ length: rounds }, (_, round) => {
    const periods = Array.from(
      { length: questions },
      (_unused, index) => (1 + ((index * 7919 + round) % count)) * step,
    );
    return timeOf(() => {
      for (const period of periods) ask(book, [instrument], period);
    });
  });
  const micros = median(nanoseconds) / 1000 / questions;
  report(`at most 5 µs for any of ${name}`, `${micros.toFixed(2)} µs on average`, micros <= 5);
  const { period, micros: most } = dearest(book, step, count);
  report(
    `at most 5 µs for the dearest of them`,
    `${most.toFixed(2)} µs, of ${period / second} s`,
    most <= 5,
  );
}

const now = bySecond;
/** Somewhat more than the 70 minutes that are held by the second. */
const from = now - second / 2 - 4_300 * second;
const colds = Array.from({ length: 3 * rounds }, () => {
  const fresh = bookOf(heldMarket(instrument, from, now), now);
  const startMs = performance.now();
  ask(fresh, [instrument], 4_190 * second);
  return (performance.now() - startMs) * 1000;
});
console.log(
  `          the first question of all, over 70 minutes, which sums its seconds up for those after it: ${median(colds).toFixed(0)} µs (median of ${colds.length} markets)`,
);

const market = heldMarket(instrument, from, now);
for (const other of others) holdTrades(market, other, from, now);
const book = bookOf(market, now);
const four = [instrument, ...others];
const nanoseconds = Array.from({ length: rounds }, (_, round) =>
  timeOf(() => {
    for (let index = 0; index < questions; index++)
      ask(book, four, (1 + ((index * 7919 + round) % 4_190)) * second);
  }),
);
const together = median(nanoseconds) / 1000 / questions;
report(
  'at most 5 µs an exchange for four of them together, 1 s to 70 min',
  `${together.toFixed(2)} µs on average, ${(together / four.length).toFixed(2)} µs an exchange`,
  together / four.length <= 5,
);

function bookOf(held: Market, time: Micros): PriceBook {
  const clock: Clock = { ...systemClock, now: () => time };
  return new PriceBook({ market: held, stored: undefined, clock });
}

function ask(asked: PriceBook, instruments: readonly string[], period: Micros): void {
  const statistics = asked.statistics(instruments, period);
  if (statistics instanceof Promise) throw new Error('Expected memory to hold the window');
  if (!statistics.isComplete) throw new Error(statistics.reason);
}

/** The period that costs the most: those that seem to be are measured again, and for longer. */
function dearest(asked: PriceBook, step: Micros, count: number) {
  const costOf = (period: Micros, times: number) =>
    timeOf(() => {
      for (let index = 0; index < times; index++) ask(asked, [instrument], period);
    }) /
    1000 /
    times;
  const candidates = Array.from({ length: count }, (_, index) => (1 + index) * step)
    .map((period) => ({ period, micros: costOf(period, 20) }))
    .toSorted((a, b) => b.micros - a.micros)
    .slice(0, 20)
    .map(({ period }) => ({
      period,
      micros: median(Array.from({ length: rounds }, () => costOf(period, 2_000))),
    }));
  return candidates.reduce((most, one) => (one.micros > most.micros ? one : most));
}
