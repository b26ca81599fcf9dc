// Ten thousand streams on one server, as it serves them, at a steady rate: CPU, lag and memory.
import { setTimeout } from 'node:timers/promises';
import { cpuMicros, memoryEach, memoryUse } from './support/process-cost.ts';
import { openReaders } from './support/reader-crowd.ts';
import type { ReaderCrowd } from './support/reader-crowd.ts';
import { report } from './support/rounds.ts';
import { serveTrades } from './support/served-trades.ts';
import type { ServedTrades } from './support/served-trades.ts';
import { tradeNow } from './support/trade-event.ts';

const connections = 100;
const streamsPerConnection = 100;
/** Each stream reads one of these. */
const instruments = Array.from({ length: 10 }, (_, index) => `binance:A${index}USDT`);
const messagesPerSecond = 5;
const seconds = 10;
const maxLagMs = 250;
const maxCores = 0.5;

console.log(
  `Crowd: ${connections * streamsPerConnection} gRPC streams of trades on ${connections} connections, ${messagesPerSecond} messages a second each; the readers
  are one process on the same cores, lag is from the trade's receipt to its decoding there; ${seconds} s
  each: ${instruments.length} instruments in turn, and all of them at the same moment`,
);

await using server = await serveTrades(instruments);
const before = memoryUse();
using readers = await openReaders(server.port, { connections, streamsPerConnection, instruments });
await readers.received(readers.count);
console.log(`  a stream: ${memoryEach(before, memoryUse(), readers.count)}`);
await measure(server, readers, 1, 2);
for (const [name, groups] of [
  ['in turn', instruments.length],
  ['all at once', 1],
] as const) {
  const { cores, rate, lags, readerCores } = await measure(server, readers, groups, seconds);
  report(
    `${name}: 50,000 messages a second within half a core and ${maxLagMs} ms`,
    `${Math.round(rate)} messages/s, ${(cores * 100).toFixed(0)} % of a core, lag p50 ${lags.p50Ms.toFixed(0)} ms, p99 ${lags.p99Ms.toFixed(0)} ms, most ${lags.maxMs.toFixed(0)} ms (the readers used ${(readerCores * 100).toFixed(0)} %)`,
    cores < maxCores && lags.p99Ms < maxLagMs && rate > 0.98 * messagesPerSecond * readers.count,
  );
}
console.log(`  a stream afterwards: ${memoryEach(before, memoryUse(), readers.count)}`);

/** Publishes a trade of each instrument so often, in so many groups spread over the time between. */
async function measure(
  { broadcast }: ServedTrades,
  crowd: ReaderCrowd,
  groups: number,
  lengthSeconds: number,
) {
  const first = await crowd.report();
  const cpu = cpuMicros();
  const start = performance.now();
  const turns = lengthSeconds * messagesPerSecond * groups;
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, instrument] of instruments.entries()) {
      if (index % groups === turn % groups) broadcast.publish(tradeNow(turn, instrument));
    }
    const next = start + ((turn + 1) * 1000) / messagesPerSecond / groups;
    await setTimeout(Math.max(0, next - performance.now()));
  }
  const used = cpuMicros() - cpu;
  const elapsedMicros = (performance.now() - start) * 1000;
  await setTimeout(500);
  const last = await crowd.report();
  return {
    cores: used / elapsedMicros,
    readerCores: (last.cpuMicros - first.cpuMicros) / elapsedMicros,
    rate: ((last.received - first.received) * 1e6) / elapsedMicros,
    lags: last.lags,
  };
}
