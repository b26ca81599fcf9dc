// The persistor's way of storing candles against COPY of the same rows into the same, empty table.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { Persistor } from '../src/persistor/persistor.ts';
import { candleColumns, candleToRow } from '../src/store/candle/candle-row.ts';
import { openDatabase } from '../src/store/database.ts';
import { openEmbeddedPostgres } from '../src/store/embedded-postgres.ts';
import { migrate } from '../src/store/migrate.ts';
import { partitionOf } from '../src/store/candle/partition.ts';
import { CandlePartitions } from '../src/store/candle/partitions.ts';
import { copyIn } from './support/copy-in.ts';
import { median, report } from './support/rounds.ts';
import { storedCandle } from './support/stored-candles.ts';

const batchRows = 5_000;
const pieceRows = 20;
const rounds = 5;
const rows = 100_000;

const directory = mkdtempSync(join(tmpdir(), 'tradewind-bench-'));
chmodSync(directory, 0o755);
await using cleanup = new AsyncDisposableStack();
cleanup.defer(() => rmSync(directory, { recursive: true }));
const surroundings = { clock: systemClock, logger: silentLogger };
const postgres = cleanup.use(await openEmbeddedPostgres({ directory, ...surroundings }));
const { url } = postgres;
await migrate({ url, direction: 'up', logger: silentLogger });
const database = cleanup.use(openDatabase({ url, program: 'bench', poolSize: 2, ...surroundings }));
const partitions = new CandlePartitions(database, {}, silentLogger);
const client = new pg.Client(url);
await client.connect();
cleanup.defer(() => client.end());

const candles = Array.from({ length: rows }, (_, n) => storedCandle(n));
// As they come from the server's stream: some at once.
const pieces = Array.from({ length: rows / pieceRows }, (_, index) =>
  candles.slice(index * pieceRows, (index + 1) * pieceRows),
);
const [first, last] = [candles[0]?.openTime ?? 0, candles.at(-1)?.openTime ?? 0];
await partitions.ensure([partitionOf('1s', first), partitionOf('1s', last)]);

const columns = candleColumns.map(([name]) => name).join(', ');
const lines = candles.map((candle) =>
  candleToRow(candle)
    .map((text) => (text === 'NULL' ? String.raw`\N` : text))
    .join('\t'),
);
const text = Buffer.from(`${lines.join('\n')}\n`);

const copies: number[] = [];
const writes: number[] = [];
const seconds = async (work: () => Promise<unknown>) => {
  await client.query('truncate candle');
  await client.query('checkpoint');
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};
const copy = () => copyIn(client, `copy candle (${columns}) from stdin`, text);
const write = async () => {
  await using persistor = new Persistor({
    name: `bench ${writes.length}`,
    follow: async function* () {
      for (const [index, candles] of pieces.entries()) {
        yield { candles, gaps: [], cursor: String(index) };
      }
      await stored.promise;
    },
    database,
    bounds: { batchRows, batchLatencyMs: 100, bufferRows: 50_000 },
    retention: {},
    ...surroundings,
  });
  const stored = Promise.withResolvers<void>();
  while (persistor.counts.written < rows) await new Promise((resolve) => setTimeout(resolve, 1));
  stored.resolve();
};

console.log(
  `Persistor: ${rows} candles into an empty table, embedded PostgreSQL 18 (fsync on), one connection;
  COPY: one statement, its text ready; persistor: from a stream of candles in memory, transactions of
  ${batchRows} rows with their cursor; median of ${rounds} rounds, taken in turn`,
);
for (let round = 0; round < rounds; round++) {
  copies.push(await seconds(copy));
  writes.push(await seconds(write));
}
const found = await client.query('select count(*) from candle');
if (Number(found.rows[0].count) !== rows) throw new Error('Expected every candle to be stored');
const rate = (times: readonly number[]) => Math.round(rows / median(times));
const ratio = median(copies) / median(writes);
console.log(`  COPY ${rate(copies)} rows/s, persistor ${rate(writes)} rows/s`);
report('at least 25 % of the rows/s of COPY', `${Math.round(ratio * 100)} %`, ratio >= 0.25);
