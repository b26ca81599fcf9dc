import type { Clock, Micros } from '../../src/base/clock.ts';
import { orderSource } from '../../src/domain/execution.ts';
import type { Execution } from '../../src/domain/execution.ts';
import { isTerminal } from '../../src/domain/order.ts';
import type { Order } from '../../src/domain/order.ts';
import { applyOrderEvent } from '../../src/domain/order-event.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import type {
  AppendOutcome,
  AppendRefusal,
  ConsumedLevel,
  DecidedEvent,
  Halts,
  OrderBatch,
  OrderLog,
  ShardContents,
  ShardLease,
} from '../../src/order/order-log.ts';
import { shardCount } from '../../src/order/order-log.ts';
import type { LeaseRound, ShardLeases, ShardOwner } from '../../src/order/shard-leases.ts';

/** What becomes of an append, beside what becomes of it by right. */
export type AppendFault =
  /** It fails, and never happens. */
  | 'lost'
  /** It fails, but has happened. */
  | 'committedButFailed'
  /** It fails, and happens (or is refused) when `deliverLate` is called. */
  | 'late'
  /** It is answered when `deliverLate` is called, and happens then. */
  | 'slow'
  /** It is not sent, because too much is under way. */
  | 'busy'
  | AppendRefusal;

type Life = { readonly address: string; expiresAt: Micros };

const leaseDuration: Micros = 5_000_000;

/**
 * The order log in memory, with leases and halts, as test/store/order/order-log.test.ts holds it against
 * Postgres. Each call happens at once and is answered in a later turn.
 */
export class TwinOrderLog implements OrderLog {
  /** In the order of the log. */
  readonly events: DecidedEvent[] = [];
  readonly executions: Execution[] = [];
  readonly orders = new Map<string, Order>();
  /** While it is set, everything fails and nothing happens. */
  isAway = false;
  /** Where something was decided for who was halted, under the very revision that says so. */
  readonly breaches: DecidedEvent[] = [];
  /** What becomes of the next appends. */
  readonly faults: AppendFault[] = [];
  readonly #clock: Clock;
  readonly #shardOf = new Map<string, number>();
  readonly #consumed = new Map<string, { readonly shard: number; readonly level: ConsumedLevel }>();
  readonly #leases = Array.from({ length: shardCount }, (_, shard) => ({
    shard,
    owner: undefined as string | undefined,
    epoch: 0,
  }));
  readonly #lives = new Map<string, Life>();
  #halts: Halts = { revision: 1, everything: undefined, accounts: new Map() };
  #late: (() => void)[] = [];

  /** @param clock the database's */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async append(batch: OrderBatch): Promise<AppendOutcome> {
    const fault = this.faults.shift();
    await this.#answer();
    switch (fault) {
      case undefined:
        return this.#commit(batch);
      case 'lost':
        throw new Error('The connection was lost');
      case 'committedButFailed':
        this.#commit(batch);
        throw new Error('The connection was lost');
      case 'late':
        this.#late.push(() => this.#commit(batch));
        throw new Error('The database did not answer in time');
      case 'slow':
        await new Promise<void>((resolve) => this.#late.push(resolve));
        return this.#commit(batch);
      case 'busy':
        throw new Refusal('unavailable', 'The store has too much to do: try again later');
      case 'leaseLost':
      case 'haltsChanged':
      case 'outOfStep':
        return refused(fault);
      default:
        return fault satisfies never;
    }
  }

  /** What is late comes now. */
  deliverLate(): void {
    for (const deliver of this.#late.splice(0)) deliver();
  }

  async load({ shard, owner }: ShardLease): Promise<ShardContents | undefined> {
    await this.#answer();
    const lease = this.#leases[shard];
    if (lease?.owner !== owner) return undefined;
    lease.epoch++;
    const acceptances = this.events.filter(({ event }) => event.type === 'accepted');
    return {
      lease: { shard, owner, epoch: lease.epoch },
      orders: acceptances
        .map(({ order }) => this.orders.get(order.orderId) ?? order)
        .filter((order) => this.#shardOf.get(order.orderId) === shard && !isTerminal(order)),
      consumed: [...this.#consumed.values()]
        .filter((used) => used.shard === shard)
        .map(({ level }) => level),
      halts: this.#halts,
    };
  }

  async readHalts(): Promise<Halts> {
    await this.#answer();
    return this.#halts;
  }

  /** Halts an account, or everything; what is halted stays as it is. */
  halt(account?: string, reason = 'a test'): void {
    const { revision, everything, accounts } = this.#halts;
    if ((account === undefined ? everything : accounts.get(account)) !== undefined) return;
    this.#halts = {
      revision: revision + 1,
      everything: account === undefined ? reason : everything,
      accounts: account === undefined ? accounts : new Map([...accounts, [account, reason]]),
    };
  }

  resume(account?: string): void {
    const { revision, everything, accounts } = this.#halts;
    if ((account === undefined ? everything : accounts.get(account)) === undefined) return;
    this.#halts = {
      revision: revision + 1,
      everything: account === undefined ? undefined : everything,
      accounts: new Map([...accounts].filter(([other]) => other !== account)),
    };
  }

  /** The leases as a life of a server sees them. */
  leasesOf(owner: string, address: string, clock: Clock = this.#clock): ShardLeases {
    return {
      renew: async () => {
        const sentMs = clock.monotonicMs();
        await this.#answer();
        return this.#renew(owner, address, clock, sentMs);
      },
      release: async (shards) => {
        await this.#answer();
        for (const lease of this.#leases) {
          if (lease.owner === owner && shards.includes(lease.shard)) lease.owner = undefined;
        }
        if (this.#leases.every((lease) => lease.owner !== owner)) this.#lives.delete(owner);
      },
      listOwners: async () => {
        await this.#answer();
        return this.#listOwners();
      },
    };
  }

  /** As if the owner had not renewed for the duration of a lease. */
  expireOwner(owner: string): void {
    const life = this.#lives.get(owner);
    if (life !== undefined) life.expiresAt = 0;
  }

  #renew(owner: string, address: string, clock: Clock, sentMs: number): LeaseRound {
    const now = this.#clock.now();
    const clockOffset = now - clock.now();
    const isTrusted = Math.abs(clockOffset) <= 1_000_000;
    const held = () => this.#leases.filter((lease) => lease.owner === owner);
    if (isTrusted || held().length > 0) {
      this.#lives.set(owner, { address, expiresAt: now + leaseDuration });
    }
    const isAlive = (name: string) => (this.#lives.get(name)?.expiresAt ?? 0) > now;
    const living = [...this.#lives.keys()].filter(isAlive).length;
    const fairShare = Math.ceil(shardCount / Math.max(1, living));
    for (const lease of this.#leases) {
      if (!isTrusted || held().length >= fairShare) break;
      if (lease.owner !== undefined && isAlive(lease.owner)) continue;
      lease.owner = owner;
      lease.epoch++;
    }
    const leases = held().map(({ shard, epoch }) => ({ shard, owner, epoch }));
    const haltRevision = this.#halts.revision;
    return {
      leases,
      endMs: sentMs + leaseDuration / 1000,
      fairShare,
      haltRevision,
      clockOffset,
    };
  }

  #listOwners(): ReadonlyMap<number, ShardOwner> {
    const owners = new Map<number, ShardOwner>();
    for (const { shard, owner = '' } of this.#leases) {
      const life = this.#lives.get(owner);
      if (life === undefined || life.expiresAt <= this.#clock.now()) continue;
      owners.set(shard, { owner, address: life.address });
    }
    return owners;
  }

  /** All of it or nothing: whatever is refused is found before anything changes. */
  #commit({ lease, haltRevision, events }: OrderBatch): AppendOutcome {
    const { owner, epoch } = this.#leases[lease.shard] ?? {};
    if (owner !== lease.owner || epoch !== lease.epoch) return refused('leaseLost');
    if (haltRevision !== this.#halts.revision) return refused('haltsChanged');
    this.breaches.push(...events.filter((decided) => !this.#mayHappen(decided)));
    const changed = new Map<string, Order>();
    const duplicates = new Map<string, Order>();
    const stored: DecidedEvent[] = [];
    for (const decided of events) {
      const { event } = decided;
      const before = changed.get(event.orderId) ?? this.orders.get(event.orderId);
      if (event.type === 'accepted') {
        if (before !== undefined) return refused('outOfStep');
        const { account, clientOrderId } = event.request;
        const other = this.#find(account, clientOrderId, changed);
        if (other !== undefined) {
          duplicates.set(event.orderId, other);
          continue;
        }
      } else if (before === undefined || isTerminal(before) || before.version + 1 !== event.version)
        return refused('outOfStep');
      changed.set(event.orderId, applyOrderEvent(before, event));
      stored.push(decided);
    }
    for (const [orderId, order] of changed) {
      this.orders.set(orderId, order);
      this.#shardOf.set(orderId, lease.shard);
    }
    this.events.push(...stored);
    for (const { event, order } of stored) this.#follow(lease.shard, event, order);
    return { type: 'committed', duplicates };
  }

  #mayHappen({ event, order }: DecidedEvent): boolean {
    const { everything, accounts } = this.#halts;
    const isHalted = everything !== undefined || accounts.has(order.account);
    return !isHalted || (event.type !== 'accepted' && event.type !== 'filled');
  }

  #find(
    account: string,
    clientOrderId: string | undefined,
    changed: ReadonlyMap<string, Order>,
  ): Order | undefined {
    if (clientOrderId === undefined) return undefined;
    return [...this.orders.values(), ...changed.values()].find(
      (order) => order.account === account && order.clientOrderId === clientOrderId,
    );
  }

  #follow(shard: number, event: DecidedEvent['event'], order: Order): void {
    if (event.type !== 'filled') return;
    const { orderId, version, quantity, price, updateId, displayedQuantity, time } = event;
    const { account, instrument, side } = order;
    this.#consumed.set(`${instrument} ${side}`, {
      shard,
      level: {
        instrument,
        side,
        updateId,
        price,
        displayedQuantity,
        consumed: event.consumedAfter,
      },
    });
    this.executions.push({
      account,
      instrument,
      source: orderSource,
      sourceId: `${orderId}:${String(version).padStart(10, '0')}`,
      quantity: side === 'buy' ? quantity : -quantity,
      price,
      fee: 0n,
      executedTime: time,
    });
  }

  async #answer(): Promise<void> {
    await Promise.resolve();
    if (this.isAway) throw new Error('The database is away');
  }
}

function refused(reason: AppendRefusal): AppendOutcome {
  return { type: 'refused', reason };
}
