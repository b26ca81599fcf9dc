// SOAK_MINUTES (10) of simulator, server, persistor and Postgres, with crowds of readers that come
// and are killed, one that takes nothing and one that takes too little: is memory flat?
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { readServerConfig } from '../src/server/config.ts';
import { startServer } from '../src/server/start-server.ts';
import { openEmbeddedPostgres } from '../src/store/embedded-postgres.ts';
import { migrate } from '../src/store/migrate.ts';
import { startChildProgram } from './support/child-program.ts';
import { memoryUse } from './support/process-cost.ts';
import { openReaders } from './support/reader-crowd.ts';
import { report } from './support/rounds.ts';
import { openSlowReader } from './support/slow-reader.ts';

const minutes = Number(process.env['SOAK_MINUTES'] ?? 10);
const sampleMs = 10_000;
const crowdMs = 15_000;
const symbols = 'BTCUSDT ETHUSDT PEPEUSDT';
/** What the last third of the time may take above the middle third: caches fill, heaps are ragged. */
const marginShare = 0.05;

await using cleanup = new AsyncDisposableStack();
const directory = mkdtempSync(join(tmpdir(), 'tradewind-soak-'));
chmodSync(directory, 0o755);
cleanup.defer(() => rmSync(directory, { recursive: true }));
const parts = { clock: systemClock, logger: silentLogger };
const { url } = cleanup.use(await openEmbeddedPostgres({ directory, isThrowAway: true, ...parts }));
await migrate({ url, direction: 'up', logger: silentLogger });
const simulator = cleanup.use(await startChildProgram('simulator', { SIMULATOR_PORT: '0' }));
const server = cleanup.use(
  await startServer(
    readServerConfig({
      MODE: 'TEST',
      PORT: '0',
      SIMULATOR_URL: await simulator.url,
      DATABASE_URL: url,
      BINANCE_SYMBOLS: symbols,
      // The least: reached at once, so that what is retained does not grow for an hour.
      MAX_RETAINED_CANDLES: '10000',
    }),
    { clock: systemClock, logger: pino({ level: 'warn' }) },
  ),
);
const persistor = cleanup.use(
  await startChildProgram('persistor', {
    DATABASE_URL: url,
    SERVER_ADDRESS: server.url,
    METRICS_PORT: '0',
  }),
);

console.log(
  `Soak: ${minutes} minutes; server in this process, with Postgres, simulator and persistor in theirs; 400
  readers come and are killed every ${crowdMs / 1000} s, one reads nothing, one 100 bytes in 100 ms; MiB after garbage collection`,
);

const stalled = cleanup.use(openSlowReader(server.port, 0));
const trickling = cleanup.use(openSlowReader(server.port, 100));
const endMs = performance.now() + minutes * 60_000;
let readers = 0;
const coming = (async () => {
  while (performance.now() < endMs - crowdMs) {
    using crowd = await openReaders(server.port, { connections: 8, streamsPerConnection: 50 });
    await crowd.received(crowd.count);
    readers += crowd.count;
    await setTimeout(crowdMs);
  }
})();

type Sample = { readonly heap: number; readonly rss: number; readonly persistorRss: number };
const samples: Sample[] = [];
const mib = (bytes: number) => (bytes / 1024 / 1024).toFixed(1);
while (performance.now() < endMs) {
  await setTimeout(sampleMs);
  const sample = { ...memoryUse(), persistorRss: await persistor.rss() };
  samples.push(sample);
  if (samples.length % (60_000 / sampleMs) === 0) {
    console.log(
      `  minute ${(samples.length * sampleMs) / 60_000}: server heap ${mib(sample.heap)}, RSS ${mib(sample.rss)}; persistor RSS ${mib(sample.persistorRss)}; simulator RSS ${mib(await simulator.rss())}; readers so far ${readers}, cut off ${stalled.cutOffs} and ${trickling.cutOffs} times`,
    );
  }
}
await coming;

const third = Math.floor(samples.length / 3);
for (const [what, read] of [
  ['server’s heap', ({ heap }: Sample) => heap],
  ['server’s RSS', ({ rss }: Sample) => rss],
  ['persistor’s RSS', ({ persistorRss }: Sample) => persistorRss],
] as const) {
  const mean = (some: readonly Sample[]) =>
    some.reduce((sum, sample) => sum + read(sample), 0) / some.length;
  const [middle, last] = [mean(samples.slice(third, 2 * third)), mean(samples.slice(-third))];
  report(
    `${what} flat: the last third at most ${marginShare * 100} % above the middle third`,
    `${mib(last)} against ${mib(middle)} MiB`,
    last <= middle * (1 + marginShare),
  );
}
