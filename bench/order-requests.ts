// Durable submissions over gRPC against an RPC that answers a constant, on the same server.
import { fork } from 'node:child_process';
import { create, toBinary } from '@bufbuild/protobuf';
import { OrderSide, TimeInForce } from '../gen/tradewind/order/v1/order_pb.ts';
import {
  OrderService,
  SubmitLimitOrderRequestSchema,
} from '../gen/tradewind/order/v1/order_service_pb.ts';
import {
  GetServerInfoResponseSchema,
  SystemService,
} from '../gen/tradewind/system/v1/system_service_pb.ts';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { openMetrics } from '../src/base/metrics.ts';
import { InstrumentDirectory } from '../src/rpc/instrument-directory.ts';
import { openListener } from '../src/rpc/listener.ts';
import { OrderForwarding } from '../src/rpc/order/order-forwarding.ts';
import { orderService } from '../src/rpc/order/order-service.ts';
import { OrderStream } from '../src/rpc/order/order-stream.ts';
import { HaltStore } from '../src/store/order/halt-store.ts';
import { openLogTail } from '../src/store/order/log-tail.ts';
import { callRate, describeRates } from './support/call-rate.ts';
import type { CallRate } from './support/call-rate.ts';
import { openBenchDesk } from './support/order-desk.ts';
import { median, report } from './support/rounds.ts';

const inFlight = 64;
const durationMs = 1_000;
const rounds = 9;
/** As accounts would trade: several instruments, of several shards. */
const instruments = ['BTCUSDT', 'ETHUSDT', 'BNBUSDT', 'LTCBTC', 'SOLUSDT', 'TONUSDT'].map(
  (symbol) => `bench:${symbol}`,
);

console.log(
  `Orders: gRPC submissions/s with ${inFlight} in flight on one connection, from another process that writes
  ready bytes, stored in embedded PostgreSQL 18 (fsync on) on the same machine; median of the ratios of ${rounds} rounds
  of ${durationMs / 1000} s each; baseline: GetServerInfo, whose answer is made once`,
);

await using stack = new AsyncDisposableStack();
const desk = await openBenchDesk(stack);
const surroundings = { clock: systemClock, logger: silentLogger };
const { orders, database, url } = desk;
const tail = stack.use(openLogTail({ database, url, ...surroundings }));
const directory = new InstrumentDirectory(instruments, 'bench');
const info = create(GetServerInfoResponseSchema, { version: '1', run: 1n });
const listener = stack.use(
  await openListener({
    host: '127.0.0.1',
    port: 0,
    routes: (router) => {
      router.service(
        OrderService,
        orderService({
          desk: desk.manager,
          orders,
          halts: new HaltStore(database),
          stream: stack.use(new OrderStream(tail, orders, systemClock)),
          forwarding: stack.use(new OrderForwarding(systemClock)),
          directory,
          hasQuantities: () => true,
        }),
      );
      router.service(SystemService, { getServerInfo: () => info });
    },
    corsAllowedOrigins: [],
    metrics: openMetrics({ processMetrics: false }),
    graceMs: 0,
    ...surroundings,
  }),
);
const caller = fork(`${import.meta.dirname}/support/unary-caller.ts`, [String(listener.port)]);

const submissions = instruments.map((instrument) =>
  toBinary(
    SubmitLimitOrderRequestSchema,
    create(SubmitLimitOrderRequestSchema, {
      instrument,
      side: OrderSide.SELL,
      quantity: '1.5',
      limitPrice: '100.25',
      timeInForce: TimeInForce.GTC,
    }),
  ),
);
const call = (path: string, messages: readonly Uint8Array[]): Promise<CallRate> => {
  const bytes = messages.map((message) => [...message]);
  return callRate(caller, { path, messages: bytes, inFlight, durationMs });
};
const submit = () => call(`/${OrderService.typeName}/SubmitLimitOrder`, submissions);
const askConstant = () => call(`/${SystemService.typeName}/GetServerInfo`, [new Uint8Array()]);

await askConstant();
await submit();
const constants: CallRate[] = [];
const submitted: CallRate[] = [];
for (let round = 0; round < rounds; round++) {
  constants.push(await askConstant());
  submitted.push(await submit());
}
caller.disconnect();
const ratio = median(
  submitted.map(({ perSecond }, index) => perSecond / (constants[index]?.perSecond ?? NaN)),
);
report(
  'at least 75 % of the requests/s of a constant',
  `${(ratio * 100).toFixed(0)} % (${describeRates(submitted)}; constant ${describeRates(constants)})`,
  ratio >= 0.75,
);
