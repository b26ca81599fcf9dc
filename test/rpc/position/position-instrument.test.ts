import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { RecordOutcome } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { anExecution } from '../../support/an-execution.ts';
import { anExecutionRow } from '../../support/an-execution-row.ts';
import { openTestDatabase } from '../../support/postgres.ts';
import { recordFill } from '../../support/record-fill.ts';
import { openServedPositions } from '../../support/served-positions.ts';
import type { ServedPositions } from '../../support/served-positions.ts';

const live = { exchanges: ['binance'], instruments: ['binance:BTCUSDT'] };
const simulated = { exchanges: ['sim-binance'], instruments: ['sim-binance:BTCUSDT'] };

let database: Awaited<ReturnType<typeof openTestDatabase>>;
let served: ServedPositions;
beforeAll(async () => {
  database = await openTestDatabase();
  served = await openServedPositions(database.url);
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
});

const switchTo = (names: typeof live) => served.parts.directory.switchTo(names);
beforeEach(() => switchTo(simulated));

async function quantityOf(account: string, instrument: string): Promise<string | Code> {
  const answer = served.client.queryPosition({ account, instrument });
  return answer.then(
    ({ position }) => position?.quantity ?? '',
    (error: unknown) => ConnectError.from(error).code,
  );
}

test('a real exchange is never booked as its simulated twin, and a retry in the other mode is one', async () => {
  const account = 'real';
  const executions = [anExecutionRow({ account, instrument: 'binance:BTCUSDT', quantity: '3' })];
  const record = async () =>
    (await served.client.recordExecutions({ executions })).results.map(({ outcome }) => outcome);
  expect(await record()).toEqual([RecordOutcome.RECORDED]);
  expect(await quantityOf(account, 'sim-binance:BTCUSDT')).toBe(Code.NotFound);
  switchTo(live);
  expect(await record()).toEqual([RecordOutcome.DUPLICATE]);
  for (const instrument of ['binance:BTCUSDT', 'binance:btcusdt', 'BTCUSDT']) {
    expect(await quantityOf(account, instrument)).toBe('3');
  }
  const response = await fetch(`${served.url}/v1/positions/binance:BTCUSDT?account=${account}`);
  expect(response.status).toBe(200);
});

test('a bare symbol means the instrument of the mode that is on', async () => {
  const account = 'bare';
  const executions = [anExecutionRow({ account, instrument: 'BTCUSDT' })];
  await served.client.recordExecutions({ executions });
  expect(await quantityOf(account, 'sim-binance:BTCUSDT')).toBe('1');
  switchTo(live);
  const { results } = await served.client.recordExecutions({ executions });
  expect(results.map(({ outcome }) => outcome)).toEqual([RecordOutcome.CONFLICT]);
  expect(await quantityOf(account, 'BTCUSDT')).toBe(Code.NotFound);
});

test('fills of the simulated exchange are found by the bare symbol and by their full name', async () => {
  const account = 'filled';
  await recordFill(database, anExecution({ account, instrument: 'sim-binance:BTCUSDT' }));
  const names = ['BTCUSDT', 'btcusdt', 'sim-binance:BTCUSDT'];
  const found = await Promise.all(names.map((name) => quantityOf(account, name)));
  expect(new Set(found).size).toBe(1);
  expect(found[0]).toMatch(/^-?\d/u);
  switchTo(live);
  expect(await quantityOf(account, 'sim-binance:BTCUSDT')).toBe(found[0]);
});

test('zeros before a number name nothing else', async () => {
  const account = 'numbered';
  const instruments = ['123', '00123', 'external:0123'];
  const executions = instruments.map((instrument) => anExecutionRow({ account, instrument }));
  await served.client.recordExecutions({ executions });
  const { positions } = await served.client.listPositions({ account });
  expect(positions.map(({ instrument, quantity }) => [instrument, quantity])).toEqual([
    ['external:123', '3'],
  ]);
});
