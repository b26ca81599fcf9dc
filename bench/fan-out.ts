// One trade to many gRPC readers: encoded once and sent as ready bytes, against a handler that
// yields each message to each reader, as Connect is made for.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  MarketService,
  StreamTradesResponseSchema,
} from '../gen/tradewind/market/v1/market_service_pb.ts';
import type { StreamTradesResponse } from '../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { openMetrics } from '../src/base/metrics.ts';
import { Broadcast } from '../src/rpc/broadcast-stream.ts';
import { openListener } from '../src/rpc/listener.ts';
import { SharedFrame } from '../src/rpc/shared-frame.ts';
import { report } from './support/rounds.ts';

const readers = 200;
const messagesPerTurn = 16;

/** A way of getting messages to all readers. */
type FanOut = {
  readonly handle: (context: HandlerContext) => AsyncIterable<StreamTradesResponse>;
  /** Sends to all; resolves when more may be sent. */
  readonly send: (messages: readonly StreamTradesResponse[]) => Promise<void>;
  readonly end: () => void;
};

console.log(
  `Fan-out: ${readers} gRPC readers in another process, ${messagesPerTurn} trades a turn of the event loop;`,
);
console.log(
  '  CPU of the server a delivered message; baseline: an async generator for each reader',
);

const yielded = await measure(generators(), 400);
const shared = await measure(broadcast(), 16_000);
const ratio = yielded / shared;
report(
  'ready bytes cost at most a tenth of yielded messages',
  `${shared.toFixed(2)} µs against ${yielded.toFixed(2)} µs, ${ratio.toFixed(0)} times less`,
  ratio >= 10,
);

/** Microseconds of CPU a message and reader. */
async function measure(fanOut: FanOut, messages: number): Promise<number> {
  const allRead = Promise.withResolvers<void>();
  let reading = 0;
  await using listener = await openListener({
    host: '127.0.0.1',
    port: 0,
    routes: (router) =>
      router.service(MarketService, {
        async *streamTrades(_request, context) {
          if (++reading === readers) allRead.resolve();
          yield* fanOut.handle(context);
        },
      }),
    corsAllowedOrigins: [],
    logger: silentLogger,
    clock: systemClock,
    metrics: openMetrics({ processMetrics: false }),
    graceMs: 0,
  });
  const client = fork(`${import.meta.dirname}/support/stream-readers.ts`, [
    String(listener.port),
    String(readers),
  ]);
  const ended = once(client, 'message');
  await allRead.promise;
  const start = process.cpuUsage();
  for (let sent = 0; sent < messages; sent += messagesPerTurn) {
    await fanOut.send(Array.from({ length: messagesPerTurn }, (_, index) => trade(sent + index)));
  }
  fanOut.end();
  await ended;
  const { user, system } = process.cpuUsage(start);
  client.kill();
  return (user + system) / messages / readers;
}

function broadcast(): FanOut {
  const all = new Broadcast({
    clock: systemClock,
    heartbeat: () => SharedFrame.of(StreamTradesResponseSchema, trade(0)),
    // The readers share two cores with the server: a bound would measure them.
    maxPendingBytes: 1024 ** 3,
  });
  return {
    async *handle(context) {
      using subscription = all.subscribe(context);
      yield trade(0);
      yield* subscription.tail();
    },
    async send(messages) {
      for (const message of messages) all.push(SharedFrame.of(StreamTradesResponseSchema, message));
      await setImmediate();
    },
    end: () => all[Symbol.dispose](),
  };
}

function generators(): FanOut {
  type Reader = { messages: StreamTradesResponse[]; wake: () => void };
  const all = new Set<Reader>();
  let isEnded = false;
  return {
    async *handle() {
      const reader: Reader = { messages: [], wake: () => {} };
      all.add(reader);
      yield trade(0);
      for (;;) {
        const { messages } = reader;
        reader.messages = [];
        yield* messages;
        if (reader.messages.length > 0) continue;
        if (isEnded) return;
        await new Promise<void>((resolve) => (reader.wake = resolve));
      }
    },
    async send(messages) {
      for (const reader of all) {
        reader.messages.push(...messages);
        reader.wake();
      }
      do await setImmediate();
      while ([...all].some((reader) => reader.messages.length > 10 * messagesPerTurn));
    },
    end() {
      isEnded = true;
      for (const { wake } of all) wake();
    },
  };
}

/** A trade as the market sends them: some 90 bytes. */
function trade(index: number): StreamTradesResponse {
  return create(StreamTradesResponseSchema, {
    cursor: `c1.1767225600000000.${index}.1767225600000000`,
    event: {
      case: 'trade',
      value: {
        instrument: 'binance:BTCUSDT',
        id: BigInt(index),
        price: '60000.12',
        quantity: '0.00123',
        exchangeTime: { seconds: 1_767_225_600n, nanos: 123_000_000 },
        receivedTime: { seconds: 1_767_225_600n, nanos: 125_000_000 },
        tradeCount: 2n,
      },
    },
  });
}
