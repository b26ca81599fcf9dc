// GetPriceStatistics against an RPC that answers a constant, on the same server.
import { fork } from 'node:child_process';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  GetPriceStatisticsRequestSchema,
  PriceService,
} from '../gen/tradewind/market/v1/price_service_pb.ts';
import {
  GetServerInfoRequestSchema,
  GetServerInfoResponseSchema,
  SystemService,
} from '../gen/tradewind/system/v1/system_service_pb.ts';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { openMetrics } from '../src/base/metrics.ts';
import { PriceBook } from '../src/market/price-book.ts';
import { openListener } from '../src/rpc/listener.ts';
import { PriceBroadcast } from '../src/rpc/price/price-broadcast.ts';
import { PriceInstruments } from '../src/rpc/price/price-instruments.ts';
import { priceService } from '../src/rpc/price/price-service.ts';
import { heldMarket } from './support/held-market.ts';
import { callRate, describeRates } from './support/call-rate.ts';
import type { CallRate } from './support/call-rate.ts';
import { median, report } from './support/rounds.ts';

const instrument = 'binance:BTCUSDT';
const inFlight = 64;
const durationMs = 500;
const rounds = 21;

console.log(
  `Prices: gRPC requests/s with ${inFlight} in flight on one connection, from another process that writes
  ready bytes; median of the ratios of ${rounds} rounds of ${durationMs / 1000} s each; baseline: GetServerInfo, whose
  answer is made once; statistics over the period that is meant where none is named, 1m`,
);

const now = systemClock.now();
const market = heldMarket(instrument, now - 4_260_000_000, now);
const clock = { ...systemClock, now: () => now };
const book = new PriceBook({ market, stored: undefined, clock });
const names = [instrument];
using broadcast = new PriceBroadcast({
  latestTrade: (name) => book.latestTrade([name]),
  names: () => names,
  clock: systemClock,
});
const instruments = new PriceInstruments(() => names);
const info = create(GetServerInfoResponseSchema, {
  version: '1',
  run: 1n,
  defaultExchange: 'binance',
});
await using listener = await openListener({
  host: '127.0.0.1',
  port: 0,
  routes: (router) => {
    router.service(PriceService, priceService({ book, instruments, broadcast, shared: undefined }));
    router.service(SystemService, { getServerInfo: () => info });
  },
  corsAllowedOrigins: [],
  logger: silentLogger,
  clock: systemClock,
  metrics: openMetrics({ processMetrics: false }),
  graceMs: 0,
});
const caller = fork(`${import.meta.dirname}/support/unary-caller.ts`, [String(listener.port)]);

const request = toBinary(
  GetPriceStatisticsRequestSchema,
  create(GetPriceStatisticsRequestSchema, { symbol: 'BTCUSDT' }),
);
const constant = toBinary(GetServerInfoRequestSchema, create(GetServerInfoRequestSchema));
const statisticsPath = `/${PriceService.typeName}/GetPriceStatistics`;
const constantPath = `/${SystemService.typeName}/GetServerInfo`;

const rateOf = (path: string, message: Uint8Array): Promise<CallRate> =>
  callRate(caller, { path, messages: [[...message]], inFlight, durationMs });

await rateOf(constantPath, constant);
await rateOf(statisticsPath, request);
const pairs: { readonly ours: CallRate; readonly baseline: CallRate }[] = [];
for (let round = 0; round < rounds; round++) {
  const baseline = await rateOf(constantPath, constant);
  const ours = await rateOf(statisticsPath, request);
  pairs.push({ ours, baseline });
}
caller.disconnect();
const ratio = median(pairs.map(({ ours, baseline }) => ours.perSecond / baseline.perSecond));
report(
  'at least 90 % of the requests/s of a constant',
  `${(ratio * 100).toFixed(0)} % (${describeRates(pairs.map(({ ours }) => ours))}; constant ${describeRates(pairs.map(({ baseline }) => baseline))})`,
  ratio >= 0.9,
);
