// Acceptances stored durably: shared appends of the order log against a transaction for each order, both
// asked by 64 clients who wait for their answer before they ask again.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import type { Order, OrderRequest } from '../src/domain/order.ts';
import { applyOrderEvent } from '../src/domain/order-event.ts';
import type { OrderEvent } from '../src/domain/order-event.ts';
import { maximumBatchEvents } from '../src/order/order-log.ts';
import type { DecidedEvent, OrderLog, ShardLease } from '../src/order/order-log.ts';
import { openDatabase } from '../src/store/database.ts';
import { openEmbeddedPostgres } from '../src/store/embedded-postgres.ts';
import { migrate } from '../src/store/migrate.ts';
import { OrderLogStore } from '../src/store/order/order-log-store.ts';
import { ShardLeaseStore } from '../src/store/order/shard-lease-store.ts';
import { storeAlone } from './support/order-transaction.ts';
import { median, report } from './support/rounds.ts';

const clients = 64;
const rounds = 5;
const roundMs = 2_000;
const one = 10n ** 18n;
const noon = Date.UTC(2026, 0, 1, 12) * 1000;

const directory = mkdtempSync(join(tmpdir(), 'tradewind-bench-'));
chmodSync(directory, 0o755);
await using cleanup = new AsyncDisposableStack();
cleanup.defer(() => rmSync(directory, { recursive: true }));
const surroundings = { clock: systemClock, logger: silentLogger };
const { url } = cleanup.use(await openEmbeddedPostgres({ directory, ...surroundings }));
await migrate({ url, direction: 'up', logger: silentLogger });
const database = cleanup.use(openDatabase({ url, program: 'bench', poolSize: 8, ...surroundings }));
const single = cleanup.use(
  openDatabase({ url, program: 'bench', poolSize: clients, ...surroundings }),
);
const owner = { owner: 'bench', address: 'http://127.0.0.1' };
const round = await new ShardLeaseStore({ database, clock: systemClock, ...owner }).renew();
const log = new OrderLogStore(database);

let submitted = 0;
const submit = {
  'one shard, shared appends': sharedAppends(round.leases.slice(0, 1)),
  '16 shards, shared appends': sharedAppends(round.leases),
  'an append for each order, 64 connections': ownAppend(
    Array.from({ length: clients }, () => new OrderLogStore(single)),
    round.leases,
  ),
  'a transaction for each order, 64 connections': ({ order }: DecidedEvent) =>
    storeAlone(single, order),
};

console.log(
  `Order log: acceptances by ${clients} clients in a closed loop, embedded PostgreSQL 18 (fsync on), median of
  ${rounds} rounds of ${roundMs} ms, taken in turn. Shared: what comes while an append is under way shares the
  next one, of all shards. A transaction for each order: begin, insert into orders, insert into order_event,
  commit, without leases, halts and promises about the order of log positions`,
);
const rates = new Map<string, number[]>();
for (let round = 0; round < rounds; round++) {
  for (const [name, submitOne] of Object.entries(submit)) {
    const rate = await measure(submitOne);
    rates.set(name, [...(rates.get(name) ?? []), rate]);
  }
}
for (const [name, values] of rates) console.log(`  ${Math.round(median(values))}/s ${name}`);
const rateOf = (name: keyof typeof submit) => median(rates.get(name) ?? []);
const ratio =
  rateOf('16 shards, shared appends') / rateOf('a transaction for each order, 64 connections');
report('at least 5× a transaction for each order', `${ratio.toFixed(1)}×`, ratio >= 5);
await reportLargest();

/** Acceptances a second. */
async function measure(submitOne: (event: DecidedEvent) => Promise<void>): Promise<number> {
  const start = performance.now();
  let stored = 0;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() - start < roundMs) {
        await submitOne(anAcceptance());
        stored++;
      }
    }),
  );
  return stored / ((performance.now() - start) / 1000);
}

function sharedAppends(leases: readonly ShardLease[]): (event: DecidedEvent) => Promise<void> {
  const queues = leases.map((lease) => {
    let waiting: { readonly event: DecidedEvent; readonly answer: () => void }[] = [];
    let isSending = false;
    const send = async () => {
      isSending = true;
      await new Promise((resolve) => setImmediate(resolve));
      while (waiting.length > 0) {
        const batch = waiting.slice(0, maximumBatchEvents);
        waiting = waiting.slice(maximumBatchEvents);
        const events = batch.map(({ event }) => event);
        await expectCommitted(log, lease, events);
        for (const { answer } of batch) answer();
      }
      isSending = false;
    };
    return (event: DecidedEvent) =>
      new Promise<void>((answer) => {
        waiting.push({ event, answer });
        if (!isSending) void send();
      });
  });
  return (event) => queues[submitted % queues.length]?.(event) ?? Promise.resolve();
}

/** Each client has a log of its own, as if it were a server: they share no append. */
function ownAppend(
  logs: readonly OrderLog[],
  leases: readonly ShardLease[],
): (event: DecidedEvent) => Promise<void> {
  const free = [...logs];
  return async (event) => {
    const lease = leases[submitted % leases.length];
    const log = free.pop();
    if (lease === undefined || log === undefined) throw new Error('Expected a log for each client');
    await expectCommitted(log, lease, [event]);
    free.push(log);
  };
}

async function expectCommitted(
  log: OrderLog,
  lease: ShardLease,
  events: readonly DecidedEvent[],
): Promise<void> {
  const outcome = await log.append({ lease, haltRevision: round.haltRevision, events });
  if (outcome.type !== 'committed') throw new Error(`Expected a commit, got ${outcome.reason}`);
}

/** How long the largest append takes, which others wait for. */
async function reportLargest(): Promise<void> {
  const [lease] = round.leases;
  if (lease === undefined) throw new Error('Expected a lease');
  const accepting: number[] = [];
  const filling: number[] = [];
  const millisecondsOf = async (events: readonly DecidedEvent[]) => {
    const start = performance.now();
    await expectCommitted(log, lease, events);
    return performance.now() - start;
  };
  for (let index = 0; index < rounds; index++) {
    const accepted = Array.from({ length: maximumBatchEvents }, anAcceptance);
    accepting.push(await millisecondsOf(accepted));
    filling.push(await millisecondsOf(accepted.map(({ order }) => aFill(order))));
  }
  console.log(
    `  an append of ${maximumBatchEvents} acceptances takes ${Math.round(median(accepting))} ms, of as many fills ${Math.round(median(filling))} ms`,
  );
}

function anAcceptance(): DecidedEvent {
  const number = ++submitted;
  const request: OrderRequest = {
    account: `account-${number % 100}`,
    instrument: `binance:S${number % 50}`,
    side: number % 2 === 0 ? 'buy' : 'sell',
    quantity: 2n * one,
    limitPrice: 62_000n * one,
    timeInForce: 'GTC',
    expireTime: undefined,
    clientOrderId: `client-${number}`,
  };
  const id = { orderId: `01J9Z-bench-${number}`, version: 1, time: noon + number };
  const event: OrderEvent = { type: 'accepted', ...id, request };
  return { event, order: applyOrderEvent(undefined, event) };
}

function aFill(before: Order): DecidedEvent {
  const level = { price: before.limitPrice, displayedQuantity: 5n * one, consumedAfter: one };
  const event: OrderEvent = {
    type: 'filled',
    orderId: before.orderId,
    version: 2,
    time: noon,
    quantity: one,
    updateId: 1,
    ...level,
  };
  return { event, order: applyOrderEvent(before, event) };
}
