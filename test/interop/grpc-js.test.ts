import { status } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { GrpcJsClient, decodeMessage, serviceErrorOf } from './grpc-js-client.ts';
import type { PlainMessage } from './grpc-js-client.ts';
import { loadProtos } from './load-protos.ts';
import { openSimulatedServer } from './simulated-server.ts';
import type { SimulatedServer } from './simulated-server.ts';

const protos = loadProtos(
  'tradewind/market/v1/market_service.proto',
  'tradewind/system/v1/system_service.proto',
  'grpc/health/v1/health.proto',
  'buf/validate/validate.proto',
  'google_rpc_status.proto',
);
const oneSecond = [{ instrument: 'BTCUSDT', timeframe: 'TIMEFRAME_S1' }];

let server: SimulatedServer;
let market: GrpcJsClient;

beforeAll(async () => {
  server = await openSimulatedServer();
  market = clientOf('tradewind.market.v1.MarketService');
});
afterAll(async () => {
  market[Symbol.dispose]();
  await server[Symbol.asyncDispose]();
});

test('a unary call is answered', async () => {
  using system = clientOf('tradewind.system.v1.SystemService');
  expect(await system.unary('GetServerInfo', {})).toMatchObject({
    mode: 'MODE_TEST',
    defaultExchange: 'sim-binance',
  });
});

test('every instrument is listed by its full name', async () => {
  const { instruments } = await market.unary('ListInstruments', {});
  expect(instruments).toMatchObject([
    { name: 'sim-binance:BTCUSDT' },
    { name: 'sim-binance:ETHUSDT' },
  ]);
});

test('the service is healthy', async () => {
  using health = clientOf('grpc.health.v1.Health');
  expect(await health.unary('Check', {})).toMatchObject({ status: 'SERVING' });
});

test('candles are streamed until the client cancels, and the cancel is what it sees', async () => {
  const stream = market.stream('StreamCandles', { selections: oneSecond });
  // By open time: a candle may come again, revised.
  const closed = new Map<string, PlainMessage>();
  const error = await serviceErrorOf(
    (async () => {
      for await (const response of stream) {
        if (response['event'] !== 'candle') continue;
        const candle = response['candle'] as PlainMessage;
        closed.set((candle['openTime'] as { seconds: string }).seconds, candle);
        if (closed.size === 2) stream.cancel();
      }
    })(),
  );
  expect(error.code).toBe(status.CANCELLED);
  const candle = { instrument: 'sim-binance:BTCUSDT', timeframe: 'TIMEFRAME_S1', closed: true };
  // More may have been on the way when it was cancelled.
  expect([...closed.values()].slice(0, 2)).toMatchObject([candle, candle]);
});

test('a stream ends at its deadline', async () => {
  const stream = market.stream('StreamTrades', {}, { deadline: Date.now() + 300 });
  const error = await serviceErrorOf(readToEnd(stream));
  expect(error.code).toBe(status.DEADLINE_EXCEEDED);
});

test('a bad request names the field, in words and in the details', async () => {
  const stream = market.stream('StreamCandles', { selections: [] });
  const error = await serviceErrorOf(readToEnd(stream));
  expect(error).toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: expect.stringContaining('selections'),
  });
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const { code, details } = decodeMessage(protos, 'google.rpc.Status', bytes as Buffer);
  expect(code).toBe(status.INVALID_ARGUMENT);
  const [detail] = details as { type_url: string; value: Uint8Array }[];
  expect(detail?.type_url).toBe('type.googleapis.com/buf.validate.Violations');
  expect(
    decodeMessage(protos, 'buf.validate.Violations', detail?.value ?? new Uint8Array()),
  ).toMatchObject({
    violations: [
      { ruleId: 'repeated.min_items', field: { elements: [{ fieldName: 'selections' }] } },
    ],
  });
});

test.each([
  ['an instrument', 'ListCandles', { instrument: 'NOSUCH', timeframe: 'TIMEFRAME_M1' }, 'NOSUCH'],
  ['an exchange', 'ListInstruments', { exchange: 'nowhere' }, 'nowhere'],
])('%s that is not followed is not found', async (_, method, request, name) => {
  expect(await serviceErrorOf(market.unary(method, request))).toMatchObject({
    code: status.NOT_FOUND,
    details: expect.stringContaining(name),
  });
});

function clientOf(service: string): GrpcJsClient {
  return new GrpcJsClient(server.address, protos, service);
}

async function readToEnd(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of stream);
}
