import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { create } from '@bufbuild/protobuf';
import type { DescMessage } from '@bufbuild/protobuf';
import { pathToString } from '@bufbuild/protobuf/reflect';
import { createValidator } from '@bufbuild/protovalidate';
import type { Violation } from '@bufbuild/protovalidate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OrderSide, TimeInForce } from '../../gen/tradewind/order/v1/order_pb.ts';
import {
  CancelOrderRequestSchema,
  SubmitLimitOrderRequestSchema,
} from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { inWords, patternOf, patternWords } from '../../src/rpc/rule-words.ts';
import { openSimulatedServer } from '../interop/simulated-server.ts';
import type { SimulatedServer } from '../interop/simulated-server.ts';

const validator = inWords(createValidator());
const gen = fileURLToPath(new URL('../../gen/tradewind/', import.meta.url));

test('every pattern of the contract has words, and no other', async () => {
  const modules = globSync(`${gen}**/*_pb.ts`).map((path) => import(path) as Promise<object>);
  const patterns = (await Promise.all(modules))
    .flatMap((module) => Object.values(module).filter(isMessage))
    .flatMap(({ fields }) => fields)
    .flatMap((field) => patternOf(field) ?? []);
  expect(new Set(patterns)).toEqual(new Set(patternWords.keys()));
});

const decimal = 'a decimal with at most 15 digits before and 18 after the point';
const order = {
  instrument: 'BTCUSDT',
  side: OrderSide.SELL,
  quantity: '1',
  limitPrice: '42',
  timeInForce: TimeInForce.GTC,
};

test.each<[wrong: object, expected: string]>([
  [{ quantity: '1e3' }, `quantity: expected ${decimal}`],
  [{ quantity: '' }, `quantity: expected ${decimal}`],
  [{ limitPrice: '1,000' }, `limit_price: expected ${decimal}`],
  [{ clientOrderId: 'my order' }, 'client_order_id: expected at most 64 visible ASCII characters'],
  [{ side: 0 }, 'side: expected one of buy, sell'],
  [{ side: 99 }, 'side: expected one of buy, sell'],
  [{ timeInForce: 0 }, 'time_in_force: expected one of gtc, ioc, fok, gtd'],
  [{ instrument: '' }, 'instrument: expected a value, got none'],
  [
    { account: 'my account' },
    'account: expected at most 64 letters, digits, ".", "_", ":" and "-"',
  ],
])('of an order, %j is told as what was expected', (wrong, expected) => {
  const request = create(SubmitLimitOrderRequestSchema, { ...order, ...wrong });
  const { violations = [] } = validator.validate(SubmitLimitOrderRequestSchema, request);
  expect(violations.map(fieldAndWords)).toEqual([expected]);
});

test('where one of several fields has to be set, they are told', () => {
  const request = create(CancelOrderRequestSchema);
  const { violations = [] } = validator.validate(CancelOrderRequestSchema, request);
  expect(violations.map(fieldAndWords)).toEqual([
    'order: expected one of order_id, client_order_id',
  ]);
});

describe('a refusal says what was expected:', () => {
  let server: SimulatedServer;
  beforeAll(async () => {
    server = await openSimulatedServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each([
    ['POST', '/mode/unspecified', 400, /^mode: expected one of test, live\b/u],
    ['POST', '/v1/mode', 400, /^mode: expected one of test, live\b/u],
    ['GET', '/prices/latest/BTCUSDT%20', 400, /^symbol: expected no blanks and no control/u],
    ['GET', '/prices/latest/BINANCE/BTCUSDT', 404, /known are sim-binance$/u],
    ['GET', '/prices/highest/no_such/BTCUSDT', 404, /^exchange: .*known are sim-binance$/u],
  ])('%s %s', async (method, path, status, message) => {
    const response = await fetch(server.url + path, { method });
    expect([response.status, await response.json()]).toEqual([
      status,
      expect.objectContaining({ message: expect.stringMatching(message) }),
    ]);
  });
});

function fieldAndWords({ field, message }: Violation): string {
  return `${pathToString(field)}: ${message}`;
}

function isMessage(value: unknown): value is DescMessage {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'message';
}
