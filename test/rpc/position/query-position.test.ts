import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Position } from '../../../gen/tradewind/position/v1/position_pb.ts';
import { systemClock } from '../../../src/base/clock.ts';
import type { Micros } from '../../../src/base/clock.ts';
import { timestampOf } from '../../../src/rpc/messages.ts';
import { noon } from '../../support/builders.ts';
import { anExecutionRow, secondsAfterNoon } from '../../support/an-execution-row.ts';
import type { ExecutionRow } from '../../support/an-execution-row.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { openServedPositions } from '../../support/served-positions.ts';
import type { ServedPositions } from '../../support/served-positions.ts';
import { suppliedPositions, suppliedTrades } from '../../support/supplied-example.ts';

let served: ServedPositions;
beforeAll(async () => {
  served = await openServedPositions(await createTestDatabase());
});
afterAll(() => served[Symbol.asyncDispose]());

async function record(account: string, rows: readonly ExecutionRow[]): Promise<void> {
  const executions = rows.map((row) => ({ ...row, account }));
  const { results } = await served.client.recordExecutions({ executions });
  expect(results.filter(({ reason }) => reason !== '')).toEqual([]);
}

async function positionOf(
  account: string,
  instrument: string,
  at?: Micros,
): Promise<Position | undefined> {
  const moment = at === undefined ? {} : { at: timestampOf(at) };
  return (await served.client.queryPosition({ account, instrument, ...moment })).position;
}

const codeOf = async (answer: Promise<unknown>) =>
  ConnectError.from(await answer.catch((error: unknown) => error)).code;

test('the supplied example has its positions at every second, in whatever order it came', async () => {
  const orders = [suppliedTrades, suppliedTrades.toReversed()];
  for (const [number, trades] of orders.entries()) {
    const account = `supplied-${number}`;
    for (const trade of trades) await record(account, [{ ...trade }]);
    for (const { instrument, second, quantity } of suppliedPositions()) {
      const at = second * 1_000_000;
      if (quantity === undefined) {
        expect(await codeOf(positionOf(account, instrument, at))).toBe(Code.NotFound);
        continue;
      }
      const position = await positionOf(account, instrument, at);
      expect([second, position?.quantity]).toEqual([second, quantity]);
    }
  }
});

test('a position has its average price, cost, profit, fees, count and times', async () => {
  await record('whole', [
    anExecutionRow({ quantity: '3', price: '10', fee: '0.3' }),
    anExecutionRow({ quantity: '-1', price: '16', fee: '-0.1', executedTime: secondsAfterNoon(1) }),
  ]);
  expect(await positionOf('whole', '123')).toEqual(
    expect.objectContaining({
      account: 'whole',
      instrument: 'external:123',
      quantity: '2',
      averageOpenPrice: '10',
      cost: '20',
      realizedProfit: '6',
      fees: '0.2',
      executionCount: 2n,
      asOfTime: timestampOf(noon + 1_000_000),
      lastExecutedTime: timestampOf(noon + 1_000_000),
    }),
  );
  expect(await positionOf('whole', '123', noon + 999_999)).toMatchObject({
    quantity: '3',
    asOfTime: timestampOf(noon + 999_999),
    lastExecutedTime: timestampOf(noon),
  });
});

test('a position is exact to the microsecond, and what is flat has no average price', async () => {
  await record('micros', [
    anExecutionRow({ quantity: '0.000000000000000001', executedTime: timestampOf(noon + 1) }),
    anExecutionRow({ quantity: '-0.000000000000000001', executedTime: timestampOf(noon + 2) }),
  ]);
  expect(await codeOf(positionOf('micros', '123', noon))).toBe(Code.NotFound);
  expect((await positionOf('micros', '123', noon + 1))?.quantity).toBe('0.000000000000000001');
  const flat = await positionOf('micros', '123', noon + 2);
  expect(flat).toMatchObject({ quantity: '0', cost: '0', realizedProfit: '0' });
  expect(flat?.averageOpenPrice).toBeUndefined();
});

test('the latest position includes what is ahead of now, the one of now does not', async () => {
  const now = systemClock.now();
  await record('ahead', [
    anExecutionRow({ quantity: '1' }),
    anExecutionRow({ quantity: '2', executedTime: timestampOf(now + 590_000_000) }),
  ]);
  expect((await positionOf('ahead', '123', now))?.quantity).toBe('1');
  expect((await positionOf('ahead', '123'))?.quantity).toBe('3');
});

test('a correction is a reversal and a replacement, and all three stay', async () => {
  const wrong = anExecutionRow({ quantity: '10', price: '5' });
  const corrects = wrong.sourceId ?? '';
  await record('corrected', [
    wrong,
    anExecutionRow({ quantity: '-10', price: '5', corrects }),
    anExecutionRow({ quantity: '1', price: '5', corrects }),
  ]);
  expect(await positionOf('corrected', '123')).toMatchObject({ quantity: '1', cost: '5' });
  const listed = await served.client.listExecutions({ account: 'corrected', instrument: '123' });
  expect(listed.executions.map((execution) => execution.corrects)).toEqual([
    '',
    corrects,
    corrects,
  ]);
});

describe('a question is refused', () => {
  test.each<[string, object, Code]>([
    [
      'about an account without executions',
      { account: 'nobody', instrument: '123' },
      Code.NotFound,
    ],
    ['about an unknown symbol', { instrument: 'NOSUCH' }, Code.NotFound],
    ['about no instrument', { instrument: '' }, Code.InvalidArgument],
    ['about a NUL', { instrument: 'external:\0' }, Code.InvalidArgument],
    ['about an account with a space', { account: 'a b', instrument: '123' }, Code.InvalidArgument],
    ['at a time before 1970', { instrument: '123', at: { seconds: -1n } }, Code.InvalidArgument],
    [
      'at a time in the year 9999',
      { instrument: '123', at: { seconds: 253_402_300_799n } },
      Code.InvalidArgument,
    ],
    ['at a nanosecond', { instrument: '123', at: { seconds: 1n, nanos: 1 } }, Code.InvalidArgument],
  ])('%s', async (_, request, code) => {
    expect(await codeOf(served.client.queryPosition(request))).toBe(code);
  });
});

describe('unrealized profit', () => {
  const held = async (account: string) => {
    const row = { instrument: 'binance:BTCUSDT', quantity: '2', price: '90' };
    await record(account, [anExecutionRow(row)]);
    const { position } = await served.client.queryPosition({ account, instrument: 'BTCUSDT' });
    return [position?.markPrice, position?.unrealizedProfit];
  };
  // The ticker's bid is 99, its ask 101.
  const tick = (ageMs: number) =>
    served.tape.ticker((systemClock.now() - noon) / 1000 - ageMs, 'binance:BTCUSDT');

  test('is not known without a ticker, nor with an old one, and is by the mid of a fresh one', async () => {
    served.tape.opened((systemClock.now() - noon) / 1000 - 60_000);
    expect(await held('unrealized-1')).toEqual([undefined, undefined]);
    tick(11_000);
    expect(await held('unrealized-2')).toEqual([undefined, undefined]);
    tick(0);
    expect(await held('unrealized-3')).toEqual(['100', '20']);
  });

  test('is not told of the past', async () => {
    tick(0);
    await held('unrealized-4');
    const position = await positionOf('unrealized-4', 'BTCUSDT', noon);
    expect(position).toMatchObject({ quantity: '2' });
    expect(position?.unrealizedProfit).toBeUndefined();
  });
});
