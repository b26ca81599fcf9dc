import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DescMessage } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { patternOf, patternWords } from '../../src/rpc/rule-words.ts';
import { openSimulatedServer } from '../interop/simulated-server.ts';
import type { SimulatedServer } from '../interop/simulated-server.ts';

const gen = fileURLToPath(new URL('../../gen/tradewind/', import.meta.url));

test('every pattern of the contract has words, and no other', async () => {
  const modules = globSync(`${gen}**/*_pb.ts`).map((path) => import(path) as Promise<object>);
  const patterns = (await Promise.all(modules))
    .flatMap((module) => Object.values(module).filter(isMessage))
    .flatMap(({ fields }) => fields)
    .flatMap((field) => patternOf(field) ?? []);
  expect(new Set(patterns)).toEqual(new Set(patternWords.keys()));
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

function isMessage(value: unknown): value is DescMessage {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'message';
}
