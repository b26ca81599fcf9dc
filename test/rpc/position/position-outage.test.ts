import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Timeframe } from '../../../gen/tradewind/market/v1/candle_pb.ts';
import { anExecutionRow, secondsAfterNoon } from '../../support/an-execution-row.ts';
import { collect } from '../../support/collect.ts';
import { eventually } from '../../support/eventually.ts';
import { createTestDatabase } from '../../support/postgres.ts';
import { followPositions, positionInShort } from '../../support/position-stream.ts';
import { openServedPositions } from '../../support/served-positions.ts';
import type { ServedPositions } from '../../support/served-positions.ts';
import { openStallingProxy } from '../../support/stalling-proxy.ts';

let proxy: Awaited<ReturnType<typeof openStallingProxy>>;
let served: ServedPositions;
beforeAll(async () => {
  const url = new URL(await createTestDatabase());
  proxy = await openStallingProxy(Number(url.port));
  url.port = String(proxy.port);
  served = await openServedPositions(url.href);
  await served.client.recordExecutions({ executions: [anExecutionRow()] });
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

const codeOf = async (answer: Promise<unknown>) =>
  ConnectError.from(await answer.catch((error: unknown) => error)).code;

type Client = ServedPositions['client'];
describe('while the store is away, UNAVAILABLE is the answer to', () => {
  const instrument = '123';
  test.each<[string, (client: Client) => Promise<unknown>]>([
    ['RecordExecutions', (client) => client.recordExecutions({ executions: [anExecutionRow()] })],
    ['QueryPosition', (client) => client.queryPosition({ instrument })],
    [
      'QueryPosition at a time',
      (client) => client.queryPosition({ instrument, at: secondsAfterNoon(1) }),
    ],
    ['ListPositions', (client) => client.listPositions({})],
    [
      'ListPositionHistory',
      (client) => client.listPositionHistory({ instrument, bin: Timeframe.D1 }),
    ],
    ['ListExecutions', (client) => client.listExecutions({ instrument })],
    ['FreezePositions', (client) => client.freezePositions({ until: secondsAfterNoon(1) })],
    ['ListFreezes', (client) => client.listFreezes({})],
    ['RebuildPositions', (client) => collect(client.rebuildPositions({ instrument }))],
    ['StreamPositions', (client) => collect(client.streamPositions({}))],
  ])('%s', async (_, ask) => {
    proxy.refuse();
    expect(await codeOf(ask(served.client))).toBe(Code.Unavailable);
    proxy.accept();
    await eventually(() => served.client.queryPosition({ instrument }));
  });
});

test('a stream outlasts an outage, and tells what changed meanwhile', async () => {
  const elsewhere = { account: 'outlasts', instrument: '7' };
  await using stream = followPositions(served.client, { account: 'outlasts' });
  await stream.snapshot();
  proxy.cut();
  await eventually(() =>
    served.client.recordExecutions({
      executions: [anExecutionRow({ ...elsewhere, sourceId: 'o' })],
    }),
  );
  expect(positionInShort(await stream.next())).toBe('external:7 1 (1)');
});
