import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { PositionService } from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Clock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { executionsAdapter } from '../../src/rpc/position/executions-adapter.ts';
import { InstrumentDirectory } from '../../src/rpc/instrument-directory.ts';
import { positionService } from '../../src/rpc/position/position-service.ts';
import type { PositionServiceParts } from '../../src/rpc/position/position-service.ts';
import { openPositions } from '../../src/server/open-positions.ts';
import type { PositionConfig } from '../../src/server/open-positions.ts';
import { openDatabase } from '../../src/store/database.ts';
import { openLogTail } from '../../src/store/order/log-tail.ts';
import { eventually } from './eventually.ts';
import { MarketTape } from './market-tape.ts';
import { openTestListener } from './test-listener.ts';

export type ServedPositions = AsyncDisposable & {
  readonly client: Client<typeof PositionService>;
  readonly url: string;
  /** host:port, as gRPC clients want it. */
  readonly address: string;
  readonly parts: PositionServiceParts;
  /** Plays book tickers. */
  readonly tape: MarketTape;
};

export type ServedPositionsOptions = Partial<PositionConfig> & { readonly clock?: Clock };

/** PositionService on a real port, over a database, as the server serves it: one of several, perhaps. */
export async function openServedPositions(
  databaseUrl: string,
  options: ServedPositionsOptions = {},
): Promise<ServedPositions> {
  const { clock = systemClock, ...some } = options;
  const config = {
    statementTimeoutMs: 10_000,
    maxReaderBytes: 1024 * 1024,
    maxReaders: 100,
    ...some,
  };
  const surroundings = { clock, logger: silentLogger };
  await using stack = new AsyncDisposableStack();
  const tape = new MarketTape();
  const directory = new InstrumentDirectory(['binance:BTCUSDT', 'binance:ETHUSDT'], 'binance');
  const database = stack.use(openDatabase({ url: databaseUrl, program: 'test', ...surroundings }));
  const tail = stack.use(openLogTail({ database, url: databaseUrl, ...surroundings }));
  const places = { market: tape.market, directory, tail, url: databaseUrl };
  const parts = openPositions(config, places, surroundings, stack);
  const listener = stack.use(
    await openTestListener({
      routes: (router) => router.service(PositionService, positionService(parts)),
      restAdapters: [executionsAdapter],
      limits: { readMaxBytes: 1024 * 1024 },
    }),
  );
  stack.use(parts.stream);
  await eventually(() => tail.position !== undefined);
  const owned = stack.move();
  return {
    client: createClient(PositionService, createGrpcTransport({ baseUrl: listener.url })),
    url: listener.url,
    address: `127.0.0.1:${listener.port}`,
    parts,
    tape,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
