import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase } from '../../support/postgres.ts';
import { openServedPositions } from '../../support/served-positions.ts';
import type { ServedPositions } from '../../support/served-positions.ts';

let served: ServedPositions;
beforeAll(async () => {
  served = await openServedPositions(await createTestDatabase());
});
afterAll(() => served[Symbol.asyncDispose]());

type Result = { outcome: string; code: number; field: string; reason: string };
type Answer = { results?: readonly Result[]; code?: number; message?: string };

/** Posts a body as it is written, and answers the status with what came. */
async function post(body: string, path = '/v1/executions'): Promise<[number, Answer]> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(served.url + path, { method: 'POST', headers, body });
  return [response.status, (await response.json()) as Answer];
}

let rows = 0;
const aRow = (fields: object = {}) => ({
  source_id: `json-${++rows}`,
  instrument: '123',
  quantity: '1',
  price: '100',
  executed_time: '2026-01-01T12:00:00Z',
  ...fields,
});

describe('what is no execution is a refused row, and the good ones around it are recorded:', () => {
  test.each<[string, string, unknown]>([
    ['the year 0', 'executed_time', aRow({ executed_time: '0000-01-01T00:00:00Z' })],
    ['a time in words', 'executed_time', aRow({ executed_time: 'garbage' })],
    ['a number for a time', 'executed_time', aRow({ executed_time: 1_650_896_178 })],
    [
      'ten digits after the second',
      'executed_time',
      aRow({ executed_time: '2026-01-01T12:00:00.0000000001Z' }),
    ],
    ['the 30th of February', 'executed_time', aRow({ executed_time: '2026-02-30T12:00:00Z' })],
    ['a quantity that is true', 'quantity', aRow({ quantity: true })],
    ['a quantity with an exponent', 'quantity', aRow({ quantity: 1e30 })],
    ['half a character', 'source_id', aRow({ source_id: '\ud800' })],
    ['a name that is misspelt', 'acount', aRow({ acount: 'alice' })],
    ['a name by both its spellings', 'source_id', aRow({ sourceId: 'twice' })],
    ['nothing', '', null],
    ['a list', '', []],
    ['a word', '', 'word'],
  ])('%s', async (_, field, poison) => {
    const [status, { results }] = await post(
      JSON.stringify({ executions: [aRow(), poison, aRow()] }),
    );
    expect([status, results?.map(({ outcome }) => outcome)]).toEqual([
      200,
      ['RECORD_OUTCOME_RECORDED', 'RECORD_OUTCOME_REFUSED', 'RECORD_OUTCOME_RECORDED'],
    ]);
    expect(results?.[1]).toMatchObject({
      field,
      code: 3,
      reason: expect.stringMatching(/expected/u),
    });
  });
});

test('a batch of which no row can be read is answered row by row', async () => {
  const [status, { results }] = await post('{"executions":[1,{"quantity":[]}]}');
  expect([status, results?.map(({ field }) => field)]).toEqual([200, ['', 'quantity']]);
});

test('numbers keep the digits that were written', async () => {
  const [status] = await post(
    '{"executions":[{"source_id":1,"account":"digits","instrument":123,"quantity":0.100000000000000001,' +
      '"price":123456789012345.123456789012345678,"executedTime":"2026-01-01T12:00:00.000001Z"}]}',
  );
  expect(status).toBe(200);
  const request = { account: 'digits', instrument: '123' };
  const { executions } = await served.client.listExecutions(request);
  expect(executions).toMatchObject([
    {
      sourceId: '1',
      quantity: '0.100000000000000001',
      price: '123456789012345.123456789012345678',
    },
  ]);
});

describe('a batch as such is refused:', () => {
  const manyRows = `{"executions":[${Array(5_001).fill('1').join()}]}`;
  test.each<[string, string, string, string?]>([
    ['that is no JSON', '{"executions":', 'body: expected JSON'],
    ['that is a list', '[]', 'body: expected an object'],
    ['whose rows are an object', '{"executions":{}}', 'executions: expected an array'],
    ['without rows', '{"source":"rpc"}', 'executions'],
    ['of 5,001 rows that cannot be read', manyRows, 'executions'],
    ['of our orders', `{"source":"order","executions":[${JSON.stringify(aRow())}]}`, 'source'],
    ['with a name that is none', `{"sauce":"a","executions":[1]}`, 'sauce: expected one of'],
    ['with parameters', '{"executions":[1]}', 'account: there are no', '?account=alice'],
  ])('%s', async (_, body, message, query = '') => {
    const [status, answer] = await post(body, `/v1/executions${query}`);
    expect([status, answer.code, answer.message]).toEqual([
      400,
      3,
      expect.stringContaining(message),
    ]);
  });
});

test('/openapi.json tells of it what the contract does', async () => {
  const document = (await (await fetch(`${served.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  expect(document.paths['/v1/executions']?.['post']?.operationId).toMatch(/RecordExecutions/u);
});
