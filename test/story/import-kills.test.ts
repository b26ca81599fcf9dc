import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openServerClient } from '../../src/rpc/client.ts';
import { timestampOf } from '../../src/rpc/messages.ts';
import { openDatabase } from '../../src/store/database.ts';
import { openEmbeddedPostgres } from '../../src/store/embedded-postgres.ts';
import { migrate } from '../../src/store/migrate.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { KilledImport } from './killed-import.ts';
import { KilledPostgres, KilledProgram } from './killed-programs.ts';
import type { Victim } from './killed-programs.ts';

const rows = Number(process.env['IMPORT_ROWS'] ?? 50_000);
const kills = Number(process.env['KILLS'] ?? 6);
const surroundings = { clock: systemClock, logger: silentLogger };
const start = Date.UTC(2024, 0, 1) / 1000;
/** Two years, so that the rows lie in 24 partitions. */
const seconds = 2 * 365 * 86_400;
const instruments = [123, 233, 377];
const prime = 15_485_863;

/** The row of a number: every time, size and price is a function of it, in no order of time. */
function rowOf(number: number) {
  const mixed = (number * prime) % 2_147_483_647;
  const sign = mixed % 3 === 0 ? -1 : 1;
  return {
    id: `row-${number}`,
    instrument: instruments[number % instruments.length] ?? 0,
    quantity: sign * ((mixed % 999) + 1),
    price: (mixed % 1_000) + 1,
    second: start + (mixed % seconds),
  };
}

function* lines(): Iterable<string> {
  yield 'source_id,instrument,quantity,price,executed_at\n';
  for (let number = 0; number < rows; number++) {
    const { id, instrument, quantity, price, second } = rowOf(number);
    yield `${id},${instrument},${quantity},${price},${second}\n`;
  }
}

/** What the rows up to a second come to: the sum of the quantities, and the cash that they cost. */
function expected(instrument: number, until: number) {
  let [quantity, cash, count] = [0, 0, 0];
  for (let number = 0; number < rows; number++) {
    const row = rowOf(number);
    if (row.instrument !== instrument || row.second > until) continue;
    quantity += row.quantity;
    cash -= row.quantity * row.price;
    count++;
  }
  return { quantity: String(quantity), cash: BigInt(cash) * 10n ** 36n, count: BigInt(count) };
}

test('whoever is killed in an import, at the end each row is there once, and positions are exact', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'executions.csv');
  await pipeline(Readable.from(lines()), createWriteStream(file));
  await using stack = new AsyncDisposableStack();
  const cluster = await openEmbeddedPostgres({ directory, ...surroundings });
  await migrate({ url: cluster.url, direction: 'up', logger: silentLogger });
  const postgres = stack.use(new KilledPostgres(directory, cluster));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const server = stack.use(
    new KilledProgram('server', {
      PORT: String(port),
      MODE: 'TEST',
      // Nobody is there: executions need no market.
      SIMULATOR_URL: 'http://127.0.0.1:1',
      DATABASE_URL: cluster.url,
    }),
  );
  const importing = stack.use(new KilledImport(file, address));
  const victims: readonly Victim[] = [server, postgres, importing];
  const began = performance.now();
  for (let kill = 1; kill <= kills; kill++) {
    // Spread over the import: each one when the next part of it is done.
    const threshold = ((rows - 10_000) * kill) / (kills + 1);
    await eventually(async () => ((await importing.rows()) ?? 0) >= threshold, 600_000);
    await victims[kill % victims.length]?.kill();
  }
  const { exitCode, output } = await importing.finish();
  console.log(`${rows} rows, ${kills} kills, ${Math.round(performance.now() - began)} ms`);
  expect([exitCode, output]).toEqual([0, expect.stringContaining(', 0 refused')]);

  await using database = openDatabase({ url: cluster.url, program: 'test', ...surroundings });
  const [stored] = await database.run(
    (sql) => sql<{ rows: number; keys: number; ids: number }>`
      select (select count(*)::integer from execution) as rows,
        (select count(*)::integer from execution_key) as keys,
        (select count(distinct source_id)::integer from execution) as ids`,
  );
  expect(stored).toEqual({ rows, keys: rows, ids: rows });

  using client = openServerClient(address, surroundings);
  const moments = [0.001, 0.1, 0.5, 0.9].map((part) => start + Math.floor(part * seconds));
  for (const instrument of instruments) {
    for (const second of [...moments, undefined]) {
      const at = second === undefined ? {} : { at: timestampOf(second * 1_000_000) };
      const request = { instrument: String(instrument), ...at };
      const { position } = await client.positions.queryPosition(request);
      const { quantity, cash, count } = expected(instrument, second ?? Infinity);
      expect([position?.quantity, position?.executionCount]).toEqual([quantity, count]);
      // To the last digit, whatever was closed when.
      const realized = parseProduct(position?.realizedProfit);
      expect(realized - parseProduct(position?.cost)).toBe(cash);
    }
  }
}, 1_800_000);

/** A decimal of at most 36 digits after the point, in 10^-36. */
function parseProduct(text = ''): bigint {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/u.exec(text) ?? [];
  const size = BigInt(whole + fraction.padEnd(36, '0'));
  return sign === '' ? size : -size;
}
