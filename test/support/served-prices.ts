import { createClient } from '@connectrpc/connect';
import type { Client } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { PriceService } from '../../gen/tradewind/market/v1/price_service_pb.ts';
import { PriceBook } from '../../src/market/price-book.ts';
import type { StoredPrices } from '../../src/market/price-history.ts';
import { PriceBroadcast } from '../../src/rpc/price/price-broadcast.ts';
import { PriceInstruments } from '../../src/rpc/price/price-instruments.ts';
import { priceService } from '../../src/rpc/price/price-service.ts';
import type { SharedPrices } from '../../src/rpc/price/price-service.ts';
import { MarketTape, at } from './market-tape.ts';
import { openTestListener } from './test-listener.ts';
import { TwinClock } from './twin-clock.ts';

export type ServedPrices = AsyncDisposable & {
  readonly tape: MarketTape;
  readonly clock: TwinClock;
  readonly client: Client<typeof PriceService>;
  readonly url: string;
  /** From now on these instruments are followed, as after a switch of the mode. */
  readonly follow: (instruments: readonly string[]) => void;
};

export type ServedPricesOptions = {
  readonly instruments?: readonly string[];
  readonly stored?: StoredPrices;
  readonly shared?: SharedPrices;
};

/** The prices of a market played by hand, behind the real service; its clock stands at noon. */
export async function openServedPrices(options: ServedPricesOptions = {}): Promise<ServedPrices> {
  const { instruments = ['binance:BTCUSDT'], stored, shared } = options;
  const tape = new MarketTape();
  const clock = new TwinClock(at(0));
  const book = new PriceBook({ market: tape.market, stored, clock });
  let followed = instruments;
  const names = () => followed;
  const latestTrade = (name: string) => book.latestTrade([name]);
  const broadcast = new PriceBroadcast({ latestTrade, names, clock });
  tape.onUpdate = (update) => broadcast.publish(update);
  const parts = { book, broadcast, shared, instruments: new PriceInstruments(names) };
  const listener = await openTestListener({
    routes: (router) => router.service(PriceService, priceService(parts)),
  });
  return {
    tape,
    clock,
    url: listener.url,
    follow: (names) => {
      followed = names;
    },
    client: createClient(PriceService, createGrpcTransport({ baseUrl: listener.url })),
    [Symbol.asyncDispose]: async () => {
      broadcast[Symbol.dispose]();
      await listener[Symbol.asyncDispose]();
    },
  };
}
