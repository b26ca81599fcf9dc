import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { Http2Server, ServerHttp2Session } from 'node:http2';
import { toBinary } from '@bufbuild/protobuf';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import grpc from '@grpc/grpc-js';
import {
  MarketService,
  StreamTradesResponseSchema,
} from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { StreamTradesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openMetrics } from '../../src/base/metrics.ts';
import { Broadcast } from '../../src/rpc/broadcast/broadcast-stream.ts';
import { openListener } from '../../src/rpc/listener.ts';
import { SharedFrame } from '../../src/rpc/broadcast/shared-frame.ts';
import { tradeMessage } from './trade-event.ts';

/** A server whose StreamTrades sends one message at once and then what is sent to all. */
export type FanOutServer = AsyncDisposable & {
  readonly port: number;
  readonly send: (messages: readonly StreamTradesResponse[]) => void;
};

/** Ours: each message encoded once, and what came in one turn joined into one write. */
export async function openBroadcastServer(): Promise<FanOutServer> {
  const broadcast = new Broadcast({ clock: systemClock, heartbeat: undefined });
  const listener = await openListener({
    host: '127.0.0.1',
    port: 0,
    routes: (router) =>
      router.service(MarketService, {
        async *streamTrades(_request, context) {
          using subscription = broadcast.subscribe(context);
          yield tradeMessage(0);
          yield* subscription.tail();
        },
      }),
    corsAllowedOrigins: [],
    logger: silentLogger,
    clock: systemClock,
    metrics: openMetrics({ processMetrics: false }),
    graceMs: 0,
  });
  return {
    port: listener.port,
    send: (messages) => {
      for (const message of messages) {
        broadcast.push(SharedFrame.of(StreamTradesResponseSchema, message));
      }
    },
    [Symbol.asyncDispose]: async () => {
      broadcast[Symbol.dispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

/** Connect as its documents show it: a handler that yields each message to each reader. */
export async function openGeneratorServer(): Promise<FanOutServer> {
  type Reader = { messages: StreamTradesResponse[]; wake: () => void };
  const readers = new Set<Reader>();
  const adapter = connectNodeAdapter({
    routes: (router) =>
      router.service(MarketService, {
        async *streamTrades() {
          const reader: Reader = { messages: [], wake: () => {} };
          readers.add(reader);
          yield tradeMessage(0);
          for (;;) {
            const { messages } = reader;
            reader.messages = [];
            yield* messages;
            if (reader.messages.length > 0) continue;
            await new Promise<void>((resolve) => (reader.wake = resolve));
          }
        },
      }),
  });
  const server = createServer(adapter);
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
  });
  return {
    port: await listen(server),
    send: (messages) => {
      for (const reader of readers) {
        reader.messages.push(...messages);
        reader.wake();
      }
    },
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

/** grpc-js, given ready bytes: each message encoded once, and `call.write` for each reader. */
export async function openGrpcJsServer(): Promise<FanOutServer> {
  const asItIs = (bytes: Buffer) => bytes;
  const encode = (message: StreamTradesResponse) =>
    Buffer.from(toBinary(StreamTradesResponseSchema, message));
  const calls = new Set<grpc.ServerWritableStream<Buffer, Buffer>>();
  const server = new grpc.Server();
  server.addService(
    {
      streamTrades: {
        path: `/${MarketService.typeName}/StreamTrades`,
        requestStream: false,
        responseStream: true,
        requestSerialize: asItIs,
        requestDeserialize: asItIs,
        responseSerialize: asItIs,
        responseDeserialize: asItIs,
      },
    },
    {
      streamTrades: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
        calls.add(call);
        call.on('error', () => {});
        call.write(encode(tradeMessage(0)));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  return {
    port,
    send: (messages) => {
      for (const message of messages) {
        const bytes = encode(message);
        for (const call of calls) call.write(bytes);
      }
    },
    [Symbol.asyncDispose]: async () => server.forceShutdown(),
  };
}

async function listen(server: Http2Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a port');
  return address.port;
}
