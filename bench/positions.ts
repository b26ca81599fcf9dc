// Executions and positions in an embedded PostgreSQL 18 with fsync on.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import pg from 'pg';
import { systemClock } from '../src/base/clock.ts';
import { formatDecimal } from '../src/base/decimal.ts';
import { silentLogger } from '../src/base/logger.ts';
import type { Execution } from '../src/domain/execution.ts';
import { Positions } from '../src/position/positions.ts';
import { openDatabase } from '../src/store/database.ts';
import { openEmbeddedPostgres } from '../src/store/embedded-postgres.ts';
import { ExecutionStore } from '../src/store/position/execution-store.ts';
import { migrate } from '../src/store/migrate.ts';
import { PostgresPositionStore } from '../src/store/position/postgres-position-store.ts';
import { formatTimestamp } from '../src/store/timestamptz.ts';
import { bookedExecution, bookedTime } from './support/booked-executions.ts';
import { copyIn } from './support/copy-in.ts';
import { median, report } from './support/rounds.ts';

const batchRows = 5_000;
/** Batches under way at once, as a client that pipelines them has. */
const pipelined = 3;
const rounds = 5;
const rows = 100_000;
const settled = 1_000_000;
const few = 10_000;

await using cleanup = new AsyncDisposableStack();
const surroundings = { clock: systemClock, logger: silentLogger };
const directory = mkdtempSync(join(tmpdir(), 'tradewind-bench-'));
chmodSync(directory, 0o755);
cleanup.defer(() => rmSync(directory, { recursive: true }));
const postgres = cleanup.use(await openEmbeddedPostgres({ directory, ...surroundings }));

/** An empty database with the schema. */
let databases = 0;
async function createDatabase(): Promise<string> {
  const name = `bench_${++databases}`;
  const client = new pg.Client(postgres.url);
  await client.connect();
  await client.query(`create database ${name}`);
  await client.query('checkpoint');
  await client.end();
  const url = postgres.url.replace(/[^/]+$/u, name);
  await migrate({ url, direction: 'up', logger: silentLogger });
  return url;
}

/** As the server does by itself after a while. */
async function vacuum(url: string): Promise<void> {
  const client = new pg.Client(url);
  await client.connect();
  await client.query('vacuum analyze');
  await client.end();
}

/** Records executions in batches, some of them under way at once. */
async function record(store: ExecutionStore, executions: readonly Execution[]): Promise<void> {
  let next = 0;
  const work = async () => {
    while (next < executions.length) {
      const batch = executions.slice(next, (next += batchRows));
      const outcomes = await store.record(batch);
      if (outcomes.some(({ type }) => type !== 'recorded'))
        throw new Error('Expected all recorded');
    }
  };
  await Promise.all(Array.from({ length: pipelined }, work));
}

const secondsOf = async (work: () => Promise<unknown>) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

const hash = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 32);
const executions = Array.from({ length: rows }, (_, n) => bookedExecution(n, 'bench:ROUND'));
const lines = executions.map((each) =>
  [
    each.account,
    each.instrument,
    formatTimestamp(each.executedTime),
    each.source,
    each.sourceId,
    ...[each.quantity, each.price, each.fee].map(formatDecimal),
  ].join('\t'),
);
const keys = executions.map(
  ({ sourceId }) => `\\\\x${hash(sourceId)}\t\\\\x${hash(`b${sourceId}`)}`,
);
const executionText = Buffer.from(`${lines.join('\n')}\n`);
const keyText = Buffer.from(`${keys.join('\n')}\n`);

async function copySeconds(): Promise<number> {
  const client = new pg.Client(await createDatabase());
  await client.connect();
  await client.query("select attach_execution_partition('2026-01-01')");
  const columns = 'account, instrument, executed_time, source, source_id, quantity, price, fee';
  const seconds = await secondsOf(async () => {
    await client.query('begin');
    await copyIn(client, `copy execution (${columns}) from stdin`, executionText);
    await copyIn(client, 'copy execution_key from stdin', keyText);
    await client.query('commit');
  });
  await client.end();
  return seconds;
}

async function recordSeconds(): Promise<number> {
  const url = await createDatabase();
  const options = { url, program: 'bench', poolSize: pipelined, ...surroundings };
  await using database = openDatabase(options);
  const store = new ExecutionStore(database);
  return await secondsOf(() => record(store, executions));
}

console.log(
  `Recording: ${rows} executions into an empty database; COPY: the same rows into both tables, two
  statements in one transaction, their texts and hashes ready; recording: batches of ${batchRows},
  ${pipelined} under way, from executions in memory; median of ${rounds} rounds, taken in turns`,
);
const copies: number[] = [];
const records: number[] = [];
for (let round = 0; round < rounds; round++) {
  copies.push(await copySeconds());
  records.push(await recordSeconds());
}
const share = median(copies) / median(records);
report(
  'at least 50 % of the rows/s of COPY',
  `${(share * 100).toFixed(0)} % (${Math.round(rows / median(records))} of ${Math.round(rows / median(copies))} rows/s)`,
  share >= 0.5,
);

const url = await createDatabase();
const database = cleanup.use(
  openDatabase({ url, program: 'bench', poolSize: pipelined, ...surroundings }),
);
const store = new ExecutionStore(database);
const positions = new Positions({ store: new PostgresPositionStore(database), ...surroundings });
const many = { account: 'default', instrument: 'bench:MANY' };
const some = { account: 'default', instrument: 'bench:SOME' };
await record(
  store,
  Array.from({ length: few }, (_, n) => bookedExecution(n, some.instrument)),
);
for (let n = 0; n < settled; n += rows) {
  const more = Array.from({ length: rows }, (_, index) =>
    bookedExecution(n + index, many.instrument),
  );
  await record(store, more);
}
await vacuum(url);

console.log(
  `Positions: ${settled} executions of one instrument; folding reads them from Postgres and keeps what
  it folded; median of ${rounds} rounds, taken in turns`,
);
const rebuilds: number[] = [];
const lateReads: number[] = [];
for (let round = 0; round < rounds; round++) {
  rebuilds.push(await secondsOf(() => positions.rebuild({ ...many, since: 0 })));
  const late = { ...bookedExecution(0, many.instrument), sourceId: `late-${round}` };
  await store.record([late]);
  lateReads.push(await secondsOf(() => positions.reader.position(many)));
}
for (const [what, seconds] of [
  ['rebuilt', rebuilds],
  ['in the first read after one came late', lateReads],
] as const) {
  const rate = settled / median(seconds);
  report(
    `at least 500,000 executions/s ${what}`,
    `${Math.round(rate)} executions/s`,
    rate >= 500_000,
  );
}

await positions.rebuild({ since: 0 });
await vacuum(url);
const oneConnection = cleanup.use(
  openDatabase({ url, program: 'bench', poolSize: 1, ...surroundings }),
);
const { reader } = new Positions({
  store: new PostgresPositionStore(oneConnection),
  ...surroundings,
});
const questions = 4_000;
const lookUp = { name: 'lookUp', text: 'select * from execution_key where key_hash = $1' };
const [{ hashes } = { hashes: [] }] = await database.run((sql) =>
  sql.text<{ hashes: string[] }>(
    `select array_agg(key_hash::text) as hashes
     from (select key_hash from execution_key order by random() limit ${questions}) as sample`,
  ),
);
const kinds: readonly (readonly [number[], (n: number) => Promise<unknown>])[] = [
  [[], (n) => oneConnection.run((sql) => sql.prepared({ ...lookUp, values: [hashes[n] ?? ''] }))],
  [[], () => reader.position(many, bookedTime(Math.floor(Math.random() * settled)))],
  [[], () => reader.position(some, bookedTime(Math.floor(Math.random() * few)))],
];
for (let n = 0; n < questions; n++) {
  for (const [times, ask] of kinds) times.push(await secondsOf(() => ask(n)));
}
const [lookedUp = 0, ofMany = 0, ofFew = 0] = kinds.map(([times]) => median(times) * 1e6);
console.log(
  `  A position at a random moment: p50 of ${questions}, over one connection, in turns with a lookup of
  execution_key by its primary key`,
);
report(
  'at most 3 times the lookup',
  `${(ofMany / lookedUp).toFixed(2)} times (${ofMany.toFixed(0)} of ${lookedUp.toFixed(0)} µs)`,
  ofMany <= 3 * lookedUp,
);
report(
  `at most 1.5 times what it is among ${few}`,
  `${(ofMany / ofFew).toFixed(2)} times`,
  ofMany <= 1.5 * ofFew,
);
