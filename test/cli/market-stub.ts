import { createServer } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import type { StreamCandlesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import {
  MarketService,
  StreamCandlesResponseSchema,
} from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { candleToMessage } from '../../src/rpc/messages.ts';

/**
 * A server that answers what a test tells it to, over the real protocol: what the command line does
 * when a stream breaks in a certain place cannot be had from the real one.
 */
export async function startMarketStub(
  implementation: Partial<ServiceImpl<typeof MarketService>>,
): Promise<AsyncDisposable & { readonly address: string }> {
  const server = createServer(
    connectNodeAdapter({ routes: (router) => void router.service(MarketService, implementation) }),
  );
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const session of sessions) session.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An element of a candle stream. */
export function streamed(
  candle: Candle,
  cursor: string,
  { repeat = false } = {},
): StreamCandlesResponse {
  const event = { case: 'candle', value: candleToMessage(candle) } as const;
  return create(StreamCandlesResponseSchema, { cursor, event, repeat });
}
