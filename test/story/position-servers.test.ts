import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RecordOutcome } from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openServerClient } from '../../src/rpc/client.ts';
import type { ServerClient } from '../../src/rpc/client.ts';
import { timestampOf } from '../../src/rpc/messages.ts';
import { modelPosition } from '../property/position-model.ts';
import type { ModelExecution } from '../property/position-model.ts';
import { collect } from '../support/collect.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { randomOf } from '../support/random-of.ts';
import { KilledProgram } from './killed-programs.ts';

const instrument = '123';
const start = Date.UTC(2025, 5, 1) * 1000;
/** All executions lie in this many seconds, several in each: ties are usual. */
const span = 1_000;
const batches = 60;
const batchLength = 40;

let servers: readonly { readonly client: ServerClient }[];
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  const url = await createTestDatabase();
  servers = await Promise.all(
    [1, 2].map(async () => {
      const port = await freePort();
      const environment = {
        PORT: String(port),
        MODE: 'TEST',
        SIMULATOR_URL: 'http://127.0.0.1:1',
        DATABASE_URL: url,
      };
      stack.use(new KilledProgram('server', environment));
      const surroundings = { clock: systemClock, logger: silentLogger };
      const client = stack.use(openServerClient(`127.0.0.1:${port}`, surroundings));
      await eventually(() => client.positions.listPositions({}));
      return { client };
    }),
  );
});
afterAll(() => stack.disposeAsync());

const positionsOf = (index: number) => {
  const server = servers[index % servers.length];
  if (server === undefined) throw new Error('Expected two servers');
  return server.client.positions;
};

type Row = ModelExecution & { readonly digits: { quantity: string; price: string } };
const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const draw = randomOf(seed);
const random = (below: number) => Math.floor(draw() * below);

/** Half of what comes is sent again, by the other server perhaps. */
const batchesOfRows: readonly (readonly Row[])[] = Array.from({ length: batches }, (_, batch) =>
  Array.from({ length: batchLength }, (_, index) => {
    const quantity = (random(2) === 0 ? 1 : -1) * (random(900) + 1);
    const price = random(9_999) + 1;
    return {
      account: 'default',
      instrument: 'external:123',
      source: 'rpc',
      sourceId: `${batch}-${index}`,
      executedTime: start + random(span) * 1_000_000,
      quantity: BigInt(quantity) * 10n ** 17n,
      price: BigInt(price) * 10n ** 16n,
      fee: 0n,
      digits: { quantity: String(quantity / 10), price: String(price / 100) },
    };
  }),
);

/** Records a batch until it is answered, and answers which rows are there now. */
async function record(index: number, rows: readonly Row[]): Promise<readonly Row[]> {
  const executions = rows.map(({ sourceId, executedTime, digits }) => ({
    sourceId,
    instrument,
    ...digits,
    executedTime: timestampOf(executedTime),
  }));
  const { results } = await positionsOf(index).recordExecutions({ executions });
  return rows.filter((_, row) => {
    const outcome = results[row]?.outcome;
    if (outcome === RecordOutcome.REFUSED) expect(results[row]?.field).toBe('executed_time');
    return outcome === RecordOutcome.RECORDED || outcome === RecordOutcome.DUPLICATE;
  });
}

test('two servers that record, freeze and rebuild at once have the positions of the model', async () => {
  console.log(`SEED=${seed}`);
  const there = new Map<string, Row>();
  const frozen: { readonly until: number; readonly quantity: string | undefined }[] = [];
  let next = 0;
  const writer = async () => {
    for (let number = next++; number < batches; number = next++) {
      const again = batchesOfRows[random(number + 1)] ?? [];
      const sent = [...(batchesOfRows[number] ?? []), ...again];
      for (const row of await record(random(2), sent)) there.set(row.sourceId, row);
    }
  };
  const quantityAt = async (index: number, until: number) => {
    const request = { instrument, at: timestampOf(until) };
    const answer = await positionsOf(index).queryPosition(request).catch(noneYet);
    return answer?.position?.quantity;
  };
  const freezer = async () => {
    // From the first tenth on, a little further each time.
    for (let part = 1; part <= 5; part++) {
      await eventually(() => next > part * 8);
      const until = start + part * 20 * 1_000_000;
      await positionsOf(part).freezePositions({ instrument, until: timestampOf(until) });
      frozen.push({ until, quantity: await quantityAt(part + 1, until) });
    }
  };
  const rebuilder = async (index: number) => {
    for (let isBusy = true; isBusy; isBusy = next < batches) {
      const after = timestampOf(start + random(span) * 1_000_000);
      const request = { instrument, ...(random(2) === 0 ? {} : { after }) };
      await collect(positionsOf(index).rebuildPositions(request)).catch(noneYet);
    }
  };
  await Promise.all([
    writer(),
    writer(),
    writer(),
    writer(),
    freezer(),
    rebuilder(0),
    rebuilder(1),
  ]);

  const rows = [...there.values()];
  expect(rows.length).toBeGreaterThan((batches * batchLength) / 2);
  for (const index of [0, 1]) {
    for (const { until, quantity } of frozen) {
      expect([until, await quantityAt(index, until)]).toEqual([until, quantity]);
    }
    for (const second of [undefined, ...Array.from({ length: 25 }, () => random(span))]) {
      const at = second === undefined ? undefined : start + second * 1_000_000;
      const expected = modelPosition(rows, at);
      const request = { instrument, ...(at === undefined ? {} : { at: timestampOf(at) }) };
      const answer = await positionsOf(index).queryPosition(request).catch(noneYet);
      const position = answer?.position;
      expect({
        second,
        quantity: scaled(position?.quantity, 18),
        cost: scaled(position?.cost, 36),
        realizedProfit: scaled(position?.realizedProfit, 36),
        executionCount: Number(position?.executionCount ?? 0),
      }).toEqual({
        second,
        quantity: expected?.quantity ?? 0n,
        cost: expected?.cost ?? 0n,
        realizedProfit: expected?.realizedProfit ?? 0n,
        executionCount: expected?.executionCount ?? 0,
      });
    }
  }
});

/** There may be no execution, or none by then. Whatever else fails is a mistake. */
function noneYet(error: unknown): undefined {
  if (ConnectError.from(error).code !== Code.NotFound) throw error;
}

/** A decimal as a whole number of its smallest digits. */
function scaled(text = '0', digits: number): bigint {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/u.exec(text) ?? [];
  const size = BigInt(whole + fraction.padEnd(digits, '0'));
  return sign === '' ? size : -size;
}
