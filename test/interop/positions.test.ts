import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase } from '../support/postgres.ts';
import { openServedPositions } from '../support/served-positions.ts';
import type { ServedPositions } from '../support/served-positions.ts';
import { suppliedPositions, suppliedTrades } from '../support/supplied-example.ts';
import { GrpcJsClient, serviceErrorOf } from './grpc-js-client.ts';
import type { PlainMessage } from './grpc-js-client.ts';
import { loadProtos } from './load-protos.ts';

const protos = loadProtos('tradewind/position/v1/position_service.proto');

let served: ServedPositions;
let client: GrpcJsClient;
beforeAll(async () => {
  served = await openServedPositions(await createTestDatabase());
  client = new GrpcJsClient(served.address, protos, 'tradewind.position.v1.PositionService');
});
afterAll(async () => {
  client[Symbol.dispose]();
  await served[Symbol.asyncDispose]();
});

const poison = { sourceId: 'a\0b', instrument: '123', quantity: '1', price: '1' };
const shuffled = [4, 0, 3, 1, 2].flatMap((index) => suppliedTrades[index] ?? []);
const rows = shuffled.map(({ executedTime, ...row }) => ({
  ...row,
  executedTime: { seconds: String(executedTime.seconds), nanos: 0 },
}));

/** The quantity, or the status that a question ends with. */
async function quantityAt(instrument: string, second: number): Promise<unknown> {
  const request = { instrument, at: { seconds: String(second) } };
  try {
    const { position } = await client.unary('QueryPosition', request);
    return (position as PlainMessage)['quantity'];
  } catch (error) {
    return (error as { code: number }).code;
  }
}

const outcomesOf = ({ results }: PlainMessage) =>
  (results as readonly PlainMessage[]).map(({ outcome }) =>
    String(outcome).replace('RECORD_OUTCOME_', ''),
  );

test('the supplied example, shuffled, twice and poisoned, has its positions at every second', async () => {
  const [first, ...others] = rows;
  const halves = [first, poison, others[0]];
  expect(outcomesOf(await client.unary('RecordExecutions', { executions: halves }))).toEqual([
    'RECORDED',
    'REFUSED',
    'RECORDED',
  ]);
  // What is there by now: 150 of 233 and 100 of 123.
  expect(await quantityAt('233', 1_650_896_181)).toBe('150');
  expect(await quantityAt('123', 1_650_896_181)).toBe('100');
  const all = [...rows, poison];
  const again = outcomesOf(await client.unary('RecordExecutions', { executions: all }));
  expect(again).toEqual(['DUPLICATE', 'DUPLICATE', 'RECORDED', 'RECORDED', 'RECORDED', 'REFUSED']);
  for (const { instrument, second, quantity = status.NOT_FOUND } of suppliedPositions()) {
    expect([instrument, second, await quantityAt(instrument, second)]).toEqual([
      instrument,
      second,
      quantity,
    ]);
  }
});

test('a stream of positions is read, and a bad request names the field', async () => {
  const stream = client.stream('StreamPositions', { account: 'nobody' });
  for await (const element of stream) {
    expect(element).toMatchObject({
      event: 'snapshotEnd',
      cursor: expect.stringMatching(/^p1\./u),
    });
    break;
  }
  stream.on('error', () => {});
  stream.cancel();
  const bad = client.unary('QueryPosition', { instrument: '123', at: { seconds: '1', nanos: 1 } });
  expect(await serviceErrorOf(bad)).toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringContaining('expected whole microseconds'),
  });
});
