import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ExecutionFile } from '../../../src/cli/executions/execution-file.ts';
import { collect } from '../../support/collect.ts';
import { temporaryDirectory } from '../../support/temporary-directory.ts';

const header = 'source_id,instrument,quantity,price,executed_at';
const object = (fields: object = {}) =>
  JSON.stringify({
    source_id: 'a',
    instrument: '123',
    quantity: '1',
    price: '23',
    executed_at: '1650896178',
    ...fields,
  });

/** Each row in short: its line, and its id and price or what is wrong with it. */
async function rowsOf(name: string, ...lines: readonly (string | Buffer)[]): Promise<string[]> {
  const path = join(temporaryDirectory(), name);
  writeFileSync(
    path,
    Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.from('\n')])),
  );
  const file = new ExecutionFile({ path, account: 'default', source: 'file', onRead: () => {} });
  const rows = (await collect(file.rows())).flat();
  return rows.map((row) =>
    'problem' in row
      ? `${row.line} ${row.problem}`
      : `${row.line} ${row.execution.sourceId} ${row.execution.price}`,
  );
}

describe('a line that cannot be read is told by its number, and the rest goes on:', () => {
  const quote = 'Expected CSV, got a quote within a value, or one that is not closed';
  const count = (got: number) => `Expected 5 values, as many as the header has, got ${got}`;
  test.each<[string, string | Buffer, string]>([
    ['a quote that is not closed', 'x,"123,1,23,1650896178', quote],
    ['a quote within a value', 'x,1"23,1,23,1650896178', quote],
    ['a quote right after a value', 'x,"12"3,1,23,1650896178', quote],
    ['a column too many', 'x,123,1,23,1650896178,7', count(6)],
    ['a comma in a number', 'x,123,1,000,23,1650896178', count(6)],
    ['a column too few', 'x,123,1,1650896178', count(4)],
    ['an array', '[1]', count(1)],
    [
      'no UTF-8 in a value',
      Buffer.from('x\xff,123,1,23,1650896178', 'latin1'),
      'source_id: expected UTF-8',
    ],
    ['no UTF-8 and too few', Buffer.from('\xff', 'latin1'), 'Expected UTF-8'],
    ['a line without an end', 'x'.repeat(70_000), 'Expected at most 65536 bytes a line'],
  ])('in CSV, %s', async (_, line, problem) => {
    const good = (id: string) => `${id},123,1,23,1650896178`;
    expect(await rowsOf('rows.csv', header, good('a'), '', line, good('b'))).toEqual([
      '2 a 23',
      `4 ${problem}`,
      '5 b 23',
    ]);
  });

  const isObject = 'Expected a JSON object';
  test.each<[string, string | Buffer, string]>([
    ['a line cut short', '{"source_id":', isObject],
    ['words', 'garbage', isObject],
    ['an array', '[1]', isObject],
    [
      'half a character',
      object({ instrument: '\ud800' }),
      'instrument: expected well-formed Unicode',
    ],
    ['no UTF-8', Buffer.from(object({ price: '\xff' }), 'latin1'), 'price: expected UTF-8'],
    ['an account that is true', object({ account: true }), 'account: expected a text or a number'],
    [
      'a misspelt account',
      object({ acount: 'alice' }),
      `acount: expected only ${header} and perhaps account,fee,source,exchange,corrects`,
    ],
    [
      'more than a line may have',
      object({ source_id: 'x'.repeat(70_000) }),
      'Expected at most 65536 bytes a line',
    ],
  ])('in JSON, %s', async (_, line, problem) => {
    expect(await rowsOf('rows.jsonl', line, object(), object({ source_id: 'b' }))).toEqual([
      `1 ${problem}`,
      '2 a 23',
      '3 b 23',
    ]);
  });
});

test('the file’s name says what it is; else the first line that is a header or an object does', async () => {
  const row = 'a,123,1,23,1650896178';
  const neither = `Expected a JSON object, or a header with ${header} and perhaps account,fee,source,exchange,corrects`;
  expect(await rowsOf('rows', 'garbage', header, row)).toEqual([`1 ${neither}`, '3 a 23']);
  expect(await rowsOf('rows.txt', '[1]', object())).toEqual([`1 ${neither}`, '2 a 23']);
  expect(await rowsOf('rows', row)).toEqual([`1 ${neither}`]);
  expect(await rowsOf('rows.NDJSON', object(), header)).toEqual([
    '1 a 23',
    '2 Expected a JSON object',
  ]);
});

test('quotes hold commas and quotes, and values are read without the blanks around them', async () => {
  const path = join(temporaryDirectory(), 'rows.csv');
  writeFileSync(path, `\uFEFF${header}\r\n "a ""b"", c" , 123 ,1,23,1650896178\r\n`);
  const file = new ExecutionFile({ path, account: 'default', source: 'file', onRead: () => {} });
  const [row] = (await collect(file.rows())).flat();
  expect(row).toMatchObject({ line: 2, execution: { sourceId: 'a "b", c', instrument: '123' } });
});

test.each([
  ['lacks columns', 'source_id,price', 'instrument, quantity, executed_at is missing'],
  ['has an unknown one', `${header},acount`, '"acount" is unknown'],
  ['has one twice', `${header},PRICE`, 'price comes twice'],
  ['is none', 'a,123,1,23,1650896178', '"a" is unknown'],
])('a file whose header %s is refused whole', async (_, first, message) => {
  const rows = rowsOf('rows.csv', first, 'a,123,1,23,1650896178');
  await expect(rows).rejects.toThrow(message);
});
