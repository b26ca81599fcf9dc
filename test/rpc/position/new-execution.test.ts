import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { NewExecutionSchema } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { parseDecimal } from '../../../src/base/decimal.ts';
import { InstrumentDirectory } from '../../../src/rpc/instrument-directory.ts';
import { executionFromMessage } from '../../../src/rpc/position/new-execution.ts';
import type { ExecutionRow } from '../../support/an-execution-row.ts';

const latestTime = Date.UTC(2026, 0, 1) * 1000;
const rules = {
  source: 'rpc',
  directory: new InstrumentDirectory(['sim-binance:BTCUSDT'], 'sim-binance', [
    'binance:BTCUSDT',
    'exchange1:small',
  ]),
  latestTime,
};

const read = (row: ExecutionRow) =>
  executionFromMessage(
    create(NewExecutionSchema, {
      sourceId: 'a1',
      instrument: '123',
      quantity: '100',
      price: '23',
      executedTime: { seconds: 1_650_896_178n },
      ...row,
    }),
    rules,
  );

test('a row is read exactly, what it leaves out by its default', () => {
  expect(read({ quantity: '-0.000000000000000001' })).toEqual({
    source: 'rpc',
    sourceId: 'a1',
    account: 'default',
    instrument: 'external:123',
    quantity: -1n,
    price: parseDecimal('23'),
    fee: 0n,
    executedTime: 1_650_896_178_000_000,
    corrects: undefined,
  });
});

test.each([
  ['123', 'external:123'],
  ['00123', 'external:123'],
  ['external:00123', 'external:123'],
  ['0', 'external:0'],
  ['9223372036854775807', 'external:9223372036854775807'],
  ['btcusdt', 'sim-binance:BTCUSDT'],
  ['binance:BTCUSDT', 'binance:BTCUSDT'],
  ['binance:btcusdt', 'binance:BTCUSDT'],
  ['sim-binance:btcusdt', 'sim-binance:BTCUSDT'],
  ['exchange1:small', 'exchange1:small'],
  ['kraken:btc/usd', 'kraken:BTC/USD'],
  ['external:gold', 'external:gold'],
])('the instrument %s is %s', (instrument, name) => {
  expect(read({ instrument }).instrument).toBe(name);
});

describe('a row is refused, its field named, for', () => {
  const time = (seconds: bigint, nanos = 0) => ({ executedTime: { seconds, nanos } });
  test.each<[string, ExecutionRow]>([
    ['quantity', { quantity: '0' }],
    ['quantity', { quantity: '-0.0' }],
    ['quantity', { quantity: '' }],
    ['quantity', { quantity: 'NaN' }],
    ['quantity', { quantity: '-Infinity' }],
    ['quantity', { quantity: '1e3' }],
    ['quantity', { quantity: `1${'0'.repeat(40)}` }],
    ['quantity', { quantity: `0.${'1'.repeat(30)}` }],
    ['quantity', { quantity: '1,000' }],
    ['quantity', { quantity: '１' }],
    ['quantity', { quantity: '+1' }],
    ['price', { price: '0' }],
    ['price', { price: '-1' }],
    ['price', { price: '1.' }],
    ['fee', { fee: '0.1.2' }],
    ['source_id', { sourceId: '' }],
    ['source_id', { sourceId: 'a\u0000b' }],
    ['source_id', { sourceId: 'x'.repeat(129) }],
    ['corrects', { corrects: 'a\nb' }],
    ['account', { account: 'no spaces' }],
    ['account', { account: 'x'.repeat(65) }],
    ['instrument', { instrument: '' }],
    ['instrument', { instrument: 'NOSUCH' }],
    ['instrument', { instrument: 'external:' }],
    ['instrument', { instrument: '9223372036854775808' }],
    ['instrument', { instrument: '1'.repeat(97) }],
    ['instrument', { instrument: 'external:9223372036854775808' }],
    ['instrument', { instrument: 'external:a b' }],
    ['instrument', { instrument: `external:${'x'.repeat(65)}` }],
    ['instrument', { instrument: 'external:a\u0000' }],
    ['executed_time', { executedTime: undefined }],
    ['executed_time', time(-1n)],
    ['executed_time', time(-62_167_219_200n)],
    ['executed_time', time(253_402_300_799n)],
    ['executed_time', time(2n ** 63n - 1n)],
    ['executed_time', time(BigInt(latestTime / 1_000_000), 1000)],
    ['executed_time', time(1n, 1)],
    ['executed_time', time(1n, -1000)],
    ['executed_time', time(1n, 1_000_000_000)],
  ])('%s: %o', (field, row) => {
    expect(() => read(row)).toThrow(expect.objectContaining({ name: 'Refusal', field }));
  });
});
