// Durable submissions: the order manager's, that share commits, against one transaction for each.
import { sleep, systemClock } from '../src/base/clock.ts';
import { parseDecimal } from '../src/base/decimal.ts';
import type { OrderRequest } from '../src/domain/order.ts';
import { applyOrderEvent } from '../src/domain/order-event.ts';
import { openBenchDesk } from './support/order-desk.ts';
import { storeAlone } from './support/order-transaction.ts';
import { median, report } from './support/rounds.ts';

const concurrency = 64;
const rounds = 3;
const roundMs = 3_000;
const ratePerSecond = 1_000;
const pacedMs = 10_000;
/** As an account would trade: a few instruments, of several shards. */
const instruments = ['BTCUSDT', 'ETHUSDT', 'BNBUSDT', 'LTCBTC'].map((symbol) => `bench:${symbol}`);

await using cleanup = new AsyncDisposableStack();
const { manager, open } = await openBenchDesk(cleanup);

let count = 0;
const nextRequest = (): OrderRequest => ({
  account: 'bench',
  instrument: instruments[count % instruments.length] ?? '',
  side: 'sell',
  quantity: parseDecimal('1.5'),
  limitPrice: parseDecimal('100.25'),
  timeInForce: 'GTC',
  expireTime: undefined,
  clientOrderId: `order-${count++}`,
});

/** Submissions a second with so many at any time. */
async function rateOf(submit: () => Promise<unknown>): Promise<number> {
  let done = 0;
  const start = performance.now();
  const work = async () => {
    while (performance.now() - start < roundMs) {
      await submit();
      done++;
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  return (done / (performance.now() - start)) * 1000;
}

const single = open(concurrency);
const storeNext = () => {
  const request = nextRequest();
  const event = { orderId: `alone-${count}`, version: 1, time: systemClock.now() };
  return storeAlone(single, applyOrderEvent(undefined, { type: 'accepted', ...event, request }));
};

console.log(
  `Orders: embedded PostgreSQL 18 (fsync on), ${concurrency} submissions at any time, four instruments, median of ${rounds} rounds
  of ${roundMs / 1000} s, taken in turn. Manager: as the server has it, over 8 connections. Alone: begin, insert into
  orders, insert into order_event, commit, over ${concurrency} connections, without leases, halts and promises about
  the order of log positions`,
);
const shared: number[] = [];
const alone: number[] = [];
for (let round = 0; round < rounds; round++) {
  alone.push(await rateOf(storeNext));
  shared.push(await rateOf(() => manager.submit(nextRequest())));
}
const [aloneRate, sharedRate] = [median(alone), median(shared)];
console.log(`  alone ${Math.round(aloneRate)}/s, manager ${Math.round(sharedRate)}/s`);
const ratio = sharedRate / aloneRate;
report('at least 5 times one transaction each', `${ratio.toFixed(1)} times`, ratio >= 5);

const delays: number[] = [];
const answers: Promise<void>[] = [];
const startMs = performance.now();
for (let sent = 0; sent < (ratePerSecond * pacedMs) / 1000;) {
  const due = ((performance.now() - startMs) * ratePerSecond) / 1000;
  for (; sent < due; sent++) {
    // From when it was due: a sender that is late makes nobody look faster.
    const dueMs = startMs + (sent * 1000) / ratePerSecond;
    answers.push(
      manager.submit(nextRequest()).then(() => void delays.push(performance.now() - dueMs)),
    );
  }
  await sleep(systemClock, 1);
}
await Promise.all(answers);
const sorted = delays.toSorted((a, b) => a - b);
const percentile = (part: number) => sorted[Math.floor(sorted.length * part)] ?? Number.NaN;
const [p50, p99] = [percentile(0.5), percentile(0.99)];
console.log(`  at ${ratePerSecond}/s for ${pacedMs / 1000} s: median ${p50.toFixed(1)} ms`);
report('acknowledged within 20 ms at 1,000/s (p99)', `${p99.toFixed(1)} ms`, p99 <= 20);
