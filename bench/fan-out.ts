// The same trades to a thousand gRPC readers, by three servers: messages a second of CPU.
import { setTimeout } from 'node:timers/promises';
import {
  openBroadcastServer,
  openGeneratorServer,
  openGrpcJsServer,
} from './support/fan-out-servers.ts';
import type { FanOutServer } from './support/fan-out-servers.ts';
import { cpuMicros, memoryEach, memoryUse } from './support/process-cost.ts';
import { openReaders } from './support/reader-crowd.ts';
import type { ReaderCrowd } from './support/reader-crowd.ts';
import { report } from './support/rounds.ts';
import { tradeMessage } from './support/trade-event.ts';

const connections = 20;
const streamsPerConnection = 50;
const messagesPerTurn = 16;
const warmUpTurns = 4;
/** Turns that are under way: with more, flow control would be measured, too. */
const turnsAhead = 3;

console.log(
  `Fan-out: ${connections * streamsPerConnection} gRPC readers on ${connections} connections, in another process on the same cores; trades of some
  120 bytes, ${messagesPerTurn} or 1 a turn of the event loop, at most ${turnsAhead} turns ahead of the readers; CPU of the
  server's process, all threads, a delivered message; baselines: Connect's own adapter with an async
  generator (binary, no compression, no logging, no interceptors); grpc-js, call.write of ready bytes`,
);

type Measured = { readonly joined: number; readonly single: number };

const ours = await measure('ours', openBroadcastServer, { joined: 120, single: 300 }, true);
const generators = await measure('generators', openGeneratorServer, { joined: 5, single: 60 });
const grpcJs = await measure('grpc-js', openGrpcJsServer, { joined: 16, single: 120 });

for (const [name, baseline, least] of [
  ['a Connect async generator', generators, 15],
  ['grpc-js call.write', grpcJs, 5],
] as const) {
  const ratio = baseline.joined / ours.joined;
  report(
    `at least ${least}× the messages a CPU second of ${name}`,
    `${ratio.toFixed(1)}× (one message a turn: ${(baseline.single / ours.single).toFixed(1)}×)`,
    ratio >= least,
  );
}

/** Microseconds of CPU a message and reader, with so many turns of many messages, and of one. */
async function measure(
  name: string,
  open: () => Promise<FanOutServer>,
  turns: Measured,
  withLag = false,
): Promise<Measured> {
  await using server = await open();
  const before = memoryUse();
  using readers = await openReaders(server.port, { connections, streamsPerConnection });
  await readers.received(readers.count);
  const memory = memoryEach(before, memoryUse(), readers.count);
  await run(server, readers, warmUpTurns, messagesPerTurn);
  const joined = await run(server, readers, turns.joined, messagesPerTurn);
  const single = await run(server, readers, turns.single, 1);
  const rate = (micros: number) => `${(1e3 / micros).toFixed(0)} k messages a CPU second`;
  console.log(`  ${name}: ${rate(joined)}, ${rate(single)} one a turn; a reader ${memory}`);
  if (withLag) console.log(`  ${name}: ${await lagAtASteadyRate(server, readers)}`);
  return { joined, single };
}

async function run(
  server: FanOutServer,
  readers: ReaderCrowd,
  turns: number,
  messages: number,
): Promise<number> {
  const { received } = await readers.report();
  const each = readers.count * messages;
  const start = cpuMicros();
  for (let turn = 0; turn < turns; turn++) {
    server.send(Array.from({ length: messages }, (_, index) => tradeMessage(turn + index)));
    await readers.received(received + each * (turn + 1 - turnsAhead));
  }
  await readers.received(received + each * turns);
  return (cpuMicros() - start) / turns / each;
}

async function lagAtASteadyRate(server: FanOutServer, readers: ReaderCrowd): Promise<string> {
  await readers.report();
  const start = cpuMicros();
  for (let sent = 0; sent < 60; sent++) {
    server.send([tradeMessage(sent)]);
    await setTimeout(50);
  }
  const cpu = (cpuMicros() - start) / 3e6;
  const { p50Ms, p99Ms, maxMs } = (await readers.report()).lags;
  return `at 20 messages a second to each, lag p50 ${p50Ms.toFixed(0)} ms, p99 ${p99Ms.toFixed(0)} ms, most ${maxMs.toFixed(0)} ms; ${(cpu * 100).toFixed(0)} % of a core`;
}
