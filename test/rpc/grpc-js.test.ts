import grpc from '@grpc/grpc-js';
import { fromBinary, toBinary, create } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ListInstrumentsRequestSchema,
  ListInstrumentsResponseSchema,
  StreamTradesRequestSchema,
  StreamTradesResponseSchema,
} from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { Listener } from '../../src/rpc/listener.ts';
import { testCertificate } from '../support/test-certificate.ts';
import { openTestListener } from '../support/test-listener.ts';

const service = '/tradewind.market.v1.MarketService';

describe.each(['cleartext', 'TLS'])('@grpc/grpc-js over %s', (kind) => {
  let listener: Listener;
  let client: grpc.Client;

  beforeAll(async () => {
    listener = await openTestListener({ tls: kind === 'TLS' ? testCertificate : undefined });
    client = new grpc.Client(
      `127.0.0.1:${listener.port}`,
      kind === 'TLS'
        ? grpc.credentials.createSsl(testCertificate.ca)
        : grpc.credentials.createInsecure(),
    );
  });
  afterAll(async () => {
    client.close();
    await listener[Symbol.asyncDispose]();
  });

  const listInstruments = (exchange: string) =>
    new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        `${service}/ListInstruments`,
        (request: { exchange: string }) =>
          Buffer.from(
            toBinary(ListInstrumentsRequestSchema, create(ListInstrumentsRequestSchema, request)),
          ),
        (bytes) => fromBinary(ListInstrumentsResponseSchema, bytes),
        { exchange },
        (error, answer) => (error === null ? resolve(answer) : reject(error)),
      );
    });

  test('gets an answer', async () => {
    expect(await listInstruments('binance')).toMatchObject({
      instruments: [{ name: 'binance:BTCUSDT' }],
    });
  });

  test('gets an error with its details', async () => {
    const error = await listInstruments('A B').catch(
      (error: unknown) => error as grpc.ServiceError,
    );
    expect(error).toMatchObject({ code: grpc.status.INVALID_ARGUMENT });
    const { metadata } = error as grpc.ServiceError;
    expect(metadata.get('grpc-status-details-bin')).toHaveLength(1);
  });

  test('gets a stream', async () => {
    const stream = client.makeServerStreamRequest(
      `${service}/StreamTrades`,
      (request: { instruments: string[] }) =>
        Buffer.from(
          toBinary(StreamTradesRequestSchema, create(StreamTradesRequestSchema, request)),
        ),
      (bytes) => fromBinary(StreamTradesResponseSchema, bytes),
      { instruments: ['a:B', 'a:C'] },
    );
    let count = 0;
    for await (const _ of stream) count++;
    expect(count).toBe(2);
  });
});
