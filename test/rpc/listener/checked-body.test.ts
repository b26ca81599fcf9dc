import { gzipSync } from 'node:zlib';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { compressionGzip } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { ListInstrumentsRequestSchema } from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import { checkedBody } from '../../../src/rpc/listener/checked-body.ts';
import { openTestListener } from '../../support/test-listener.ts';

const good = toBinary(
  ListInstrumentsRequestSchema,
  create(ListInstrumentsRequestSchema, { exchange: 'binance' }),
);
/** A field of 5 bytes of which there are two. */
const bad = Uint8Array.of(10, 5, 65, 66);

function envelope(message: Uint8Array, flags = 0): Uint8Array {
  const head = Buffer.alloc(5);
  head.writeUInt8(flags, 0);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** The code and the words it is refused with; undefined where it is let through whole. */
async function refusalOf(body: Uint8Array, headers: Readonly<Record<string, string>>) {
  const pieces: Uint8Array[] = [];
  try {
    const checked = checkedBody(piecesOf(body), {
      message: ListInstrumentsRequestSchema,
      header: new Headers(headers),
      compressions: [compressionGzip],
      maxBytes: 1_000,
    });
    for await (const piece of checked) pieces.push(piece);
  } catch (error) {
    const { code, rawMessage } = ConnectError.from(error);
    return { code, rawMessage };
  }
  expect(pieces).toEqual([body]);
  return undefined;
}

async function* piecesOf(body: Uint8Array) {
  yield body;
}

const unary = { 'content-type': 'application/proto' };
const grpc = { 'content-type': 'application/grpc' };
const grpcWeb = { 'content-type': 'application/grpc-web+proto' };
const streaming = { 'content-type': 'application/connect+proto' };
const gzip = (message: Uint8Array) => envelope(gzipSync(message), 1);

test.each<[what: string, headers: Record<string, string>, wrap: (m: Uint8Array) => Uint8Array]>([
  ['Connect', unary, (message) => message],
  ['Connect, compressed', { ...unary, 'content-encoding': 'gzip' }, (m) => gzipSync(m)],
  ['gRPC', grpc, (message) => envelope(message)],
  ['gRPC, compressed', { ...grpc, 'grpc-encoding': 'gzip' }, gzip],
  ['gRPC-Web', grpcWeb, (message) => envelope(message)],
  ['a Connect stream', streaming, (message) => envelope(message)],
  ['a compressed Connect stream', { ...streaming, 'connect-content-encoding': 'gzip' }, gzip],
])('what is no protobuf is INVALID_ARGUMENT over %s', async (_what, headers, wrap) => {
  expect(await refusalOf(wrap(good), headers)).toBeUndefined();
  expect(await refusalOf(wrap(bad), headers)).toEqual({
    code: Code.InvalidArgument,
    rawMessage: 'Expected a tradewind.market.v1.ListInstrumentsRequest as protobuf writes it',
  });
  expect(await refusalOf(wrap(Buffer.alloc(2_000)), headers)).toMatchObject({
    code: Code.ResourceExhausted,
    rawMessage: expect.stringContaining('at most 1000 bytes'),
  });
});

test.each<[what: string, body: Uint8Array, headers: Record<string, string>]>([
  ['JSON', Buffer.from('{'), { 'content-type': 'application/json' }],
  ['half an envelope', Uint8Array.of(0, 0), grpc],
  ['half a message', envelope(good).subarray(0, 7), grpc],
  ['two messages', Buffer.concat([envelope(good), envelope(good)]), grpc],
  ['an unknown compression', bad, { ...unary, 'content-encoding': 'zstd' }],
  ['nothing', new Uint8Array(0), unary],
])('%s is left to Connect', async (_what, body, headers) => {
  expect(await refusalOf(body, headers)).toBeUndefined();
});

describe('the answer to such a request is HTTP 400 and tells nothing of the parser', () => {
  const path = '/tradewind.market.v1.MarketService/ListInstruments';
  const asQuery = (message: Uint8Array) =>
    `?connect=v1&encoding=proto&base64=1&message=${Buffer.from(message).toString('base64url')}`;

  test.each<[how: string, query: string, init: RequestInit]>([
    ['POST', '', { method: 'POST', headers: unary, body: Buffer.from(bad) }],
    ['GET', asQuery(bad), {}],
  ])('over %s', async (_how, query, init) => {
    await using listener = await openTestListener();
    const response = await fetch(`${listener.url}${path}${query}`, init);
    expect([response.status, await response.json()]).toEqual([
      400,
      {
        code: 'invalid_argument',
        message: 'Expected a tradewind.market.v1.ListInstrumentsRequest as protobuf writes it',
      },
    ]);
  });

  test('and a good GET is answered', async () => {
    await using listener = await openTestListener();
    const response = await fetch(`${listener.url}${path}${asQuery(good)}`);
    expect(response.status).toBe(200);
  });
});
