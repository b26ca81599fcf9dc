import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { StreamCandlesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { ReaderLimits } from '../../src/rpc/broadcast/broadcast-stream.ts';
import { InstrumentDirectory } from '../../src/rpc/instrument-directory.ts';
import type { CandleHistory } from '../../src/rpc/market/list-candles.ts';
import { MarketBroadcast } from '../../src/rpc/market/market-broadcast.ts';
import { marketService } from '../../src/rpc/market/market-service.ts';
import { MarketTape, at } from './market-tape.ts';
import { openTestListener } from './test-listener.ts';
import { TwinClock } from './twin-clock.ts';

export type ServedMarket = AsyncDisposable & {
  readonly tape: MarketTape;
  readonly client: Client<typeof MarketService>;
  readonly broadcast: MarketBroadcast;
  readonly url: string;
  readonly clock: TwinClock;
};

export type ServedMarketOptions = {
  readonly instruments?: readonly string[];
  readonly defaultExchange?: string;
  readonly history?: CandleHistory;
  readonly tape?: MarketTape;
  readonly readerLimits?: ReaderLimits;
};

/** A market played by hand, behind the real service on a real port. */
export async function openServedMarket(options: ServedMarketOptions = {}): Promise<ServedMarket> {
  const { instruments = ['binance:BTCUSDT'], defaultExchange = 'binance' } = options;
  const tape = options.tape ?? new MarketTape();
  const clock = new TwinClock(at(0));
  const broadcast = new MarketBroadcast(tape.market.log, clock, options.readerLimits);
  tape.onUpdate = (update) => broadcast.publish(update);
  const { market } = tape;
  const parts = {
    market,
    broadcast,
    clock,
    directory: new InstrumentDirectory(instruments, defaultExchange),
    history: options.history,
    limitsOf: () => undefined,
    whenHistoryRead: () => Promise.resolve(),
    auditOf: () => ({ compared: 0, equal: 0, mended: 0 }),
    statuses: () => market.statuses(clock.now()),
  };
  const listener = await openTestListener({
    routes: (router) => router.service(MarketService, marketService(parts)),
  });
  return {
    tape,
    broadcast,
    clock,
    url: listener.url,
    client: createClient(MarketService, createGrpcTransport({ baseUrl: listener.url })),
    [Symbol.asyncDispose]: async () => {
      broadcast[Symbol.dispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}

/** Reads a stream element by element, and ends it. */
export function reader(stream: AsyncIterable<StreamCandlesResponse>) {
  const iterator = stream[Symbol.asyncIterator]();
  const next = async (): Promise<StreamCandlesResponse> => {
    const { value, done } = await iterator.next();
    if (done === true) throw new Error('Expected the stream to go on');
    return value;
  };
  return {
    next,
    /** The elements up to and with the first one that matches. */
    until: async (matches: (element: StreamCandlesResponse) => boolean) => {
      const elements: StreamCandlesResponse[] = [];
      do elements.push(await next());
      while (!matches(elements.at(-1) as StreamCandlesResponse));
      return elements;
    },
    [Symbol.asyncDispose]: async () => void (await iterator.return?.()),
  };
}

export const isSnapshotEnd = ({ event }: StreamCandlesResponse) => event.case === 'snapshotEnd';

/** An element in short: what it is, of a candle its second, close, and whether closed or revised. */
export function elementInShort({ event, repeat }: StreamCandlesResponse): string {
  if (event.case !== 'candle') return `${event.case ?? 'nothing'}${repeat ? ' again' : ''}`;
  const { value } = event;
  const second = Number(value.openTime?.seconds ?? 0n) - at(0) / 1e6;
  const state = value.closed ? `r${value.revision}` : 'open';
  return `${second} ${value.close} ${state}${repeat ? ' again' : ''}`;
}
