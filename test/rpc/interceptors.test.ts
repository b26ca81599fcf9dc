import assert from 'node:assert/strict';
import { ViolationsSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { pino } from 'pino';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import type { ConnectRouter } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { logContext } from '../../src/base/log-context.ts';
import { openMetrics } from '../../src/base/metrics.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import type { RefusalReason } from '../../src/domain/refusal.ts';
import type { ListenerOptions } from '../../src/rpc/listener.ts';
import { readStream } from '../../src/rpc/client/read-stream.ts';
import { collect } from '../support/collect.ts';
import { eventually } from '../support/eventually.ts';
import { openTestListener } from '../support/test-listener.ts';

/** A service that fails with this, in a unary RPC and, after a message, in a stream. */
const failing = (error: unknown) => (router: ConnectRouter) => {
  router.service(MarketService, {
    listInstruments() {
      throw error;
    },
    async *streamTrades() {
      yield { cursor: 'first' };
      throw error;
    },
  });
};

async function openMarket(options: Partial<ListenerOptions>) {
  const listener = await openTestListener(options);
  const transport = createGrpcTransport({ baseUrl: listener.url });
  return {
    market: createClient(MarketService, transport),
    [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose](),
  };
}

const refusal = (reason: RefusalReason) => new Refusal(reason, 'Expected a symbol');

describe('an error is told to the client as', () => {
  test.each([
    [refusal('invalid'), Code.InvalidArgument, 'Expected a symbol'],
    [refusal('notFound'), Code.NotFound, 'Expected a symbol'],
    [refusal('alreadyExists'), Code.AlreadyExists, 'Expected a symbol'],
    [refusal('failedPrecondition'), Code.FailedPrecondition, 'Expected a symbol'],
    [refusal('outOfRange'), Code.OutOfRange, 'Expected a symbol'],
    [refusal('limit'), Code.ResourceExhausted, 'Expected a symbol'],
    [refusal('unavailable'), Code.Unavailable, 'Expected a symbol'],
    [new ConnectError('as it is', Code.Aborted), Code.Aborted, 'as it is'],
    [new Error('password=secret'), Code.Internal, 'internal error'],
    ['a string', Code.Internal, 'internal error'],
  ])('%s: code %i', async (error, code, rawMessage) => {
    await using server = await openMarket({ routes: failing(error) });
    await expect(server.market.listInstruments({})).rejects.toMatchObject({ code, rawMessage });
    await expect(collect(server.market.streamTrades({}))).rejects.toMatchObject({
      code,
      rawMessage,
    });
  });
});

test('a refusal names its field as the validator does', async () => {
  const error = new Refusal('invalid', 'limit.price: expected more than 0', {
    field: 'limit.price',
  });
  await using server = await openMarket({ routes: failing(error) });
  const told = await server.market.listInstruments({}).catch((error: unknown) => error);
  assert(told instanceof ConnectError);
  const [violations] = told.findDetails(ViolationsSchema);
  expect(violations?.violations[0]?.field?.elements.map((name) => name.fieldName)).toEqual([
    'limit',
    'price',
  ]);
});

test('a request that breaks the rules of its fields is refused, and the field named', async () => {
  await using server = await openMarket({});
  await expect(server.market.listInstruments({ exchange: 'A B' })).rejects.toMatchObject({
    code: Code.InvalidArgument,
    rawMessage: expect.stringContaining('exchange'),
  });
  await expect(collect(server.market.streamTrades({ instruments: [''] }))).rejects.toMatchObject({
    code: Code.InvalidArgument,
    rawMessage: expect.stringContaining('instruments[0]'),
  });
});

test.each([
  ['an unforeseen error', 'Internal', new Error('the cause')],
  [
    'an outage',
    'Unavailable',
    new Refusal('unavailable', 'Try again', { cause: new Error('the cause') }),
  ],
])('%s is logged with its cause and the request id, but not often', async (_, code, error) => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(
    { level: 'info', mixin: () => logContext.getStore() ?? {} },
    { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  await using server = await openMarket({ logger, routes: failing(error) });
  for (let count = 0; count < 50; count++) {
    const headers = { 'x-request-id': `id-${count}` };
    await server.market.listInstruments({}, { headers }).catch(() => {});
    await collect(server.market.streamTrades({}, { headers })).catch(() => {});
  }
  expect(lines).toHaveLength(2);
  for (const line of lines) {
    expect(line).toMatchObject({
      msg: 'RPC failed',
      requestId: 'id-0',
      code,
      err: { message: 'the cause' },
    });
  }
});

test('the request id is there wherever a handler logs, in streams, too', async () => {
  const seen: unknown[] = [];
  const see = () => seen.push(logContext.getStore()?.['requestId']);
  await using server = await openMarket({
    routes: (router) =>
      router.service(MarketService, {
        async listInstruments() {
          await Promise.resolve();
          see();
          return {};
        },
        async *streamTrades() {
          see();
          yield { cursor: 'first' };
          see();
          await new Promise((resolve) => setImmediate(resolve));
          yield { cursor: 'second' };
          see();
        },
      }),
  });
  const answers: (string | null)[] = [];
  const options = {
    headers: { 'x-request-id': 'mine' },
    onHeader: (headers: Headers) => void answers.push(headers.get('x-request-id')),
  };
  await server.market.listInstruments({}, options);
  await collect(server.market.streamTrades({}, options));
  expect(seen).toEqual(['mine', 'mine', 'mine', 'mine']);
  expect(answers).toEqual(['mine', 'mine']);
});

test('a unary RPC is answered at its deadline though its handler does not look at it', async () => {
  await using server = await openMarket({
    routes: (router) =>
      router.service(MarketService, { listInstruments: () => new Promise(() => {}) }),
  });
  await expect(server.market.listInstruments({}, { timeoutMs: 50 })).rejects.toMatchObject({
    code: Code.DeadlineExceeded,
  });
});

test('streams are counted when they end, by their status', async () => {
  const metrics = openMetrics({ processMetrics: false });
  await using server = await openMarket({
    metrics,
    routes: (router) =>
      router.service(MarketService, {
        async *streamTrades({ instruments: [name] }, { signal }) {
          yield { cursor: 'first' };
          if (name === 'fails') throw new Refusal('outOfRange', 'Too old');
          if (name !== 'waits') return;
          signal.throwIfAborted();
          await new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(signal.reason as Error)),
          );
        },
      }),
  });
  const { market } = server;
  await collect(market.streamTrades({}));
  await collect(market.streamTrades({ instruments: ['fails'] })).catch(() => {});
  const request = { instruments: ['waits'] };
  for await (const _ of readStream((signal) => market.streamTrades(request, { signal }))) break;
  await eventually(async () => {
    const text = await metrics.metrics();
    for (const code of ['OK', 'OutOfRange', 'Canceled']) {
      expect(text).toContain(`grpc_method="StreamTrades",grpc_code="${code}"} 1\n`);
    }
  });
});

test('RPCs over the bound are refused as UNAVAILABLE, and counted', async () => {
  const metrics = openMetrics({ processMetrics: false });
  await using server = await openMarket({ metrics, limits: { maxActiveRpcs: 0 } });
  await expect(server.market.listInstruments({})).rejects.toMatchObject({ code: Code.Unavailable });
  expect(await metrics.metrics()).toContain('tradewind_rpcs_rejected_total 1\n');
});
