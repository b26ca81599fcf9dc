import { sleep } from '../base/clock.ts';
import type { Clock, Micros } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { ReachPoint } from './crash-points.ts';
import { shardCount } from './order-log.ts';
import type { OrderLog } from './order-log.ts';
import type { Shard } from './shard.ts';
import type { LeaseRound, ShardLeases, ShardOwner } from './shard-leases.ts';

export type ShardKeeperOptions = {
  readonly shards: readonly Shard[];
  readonly leases: ShardLeases;
  readonly log: Pick<OrderLog, 'readHalts'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly reach: ReachPoint;
};

const renewPeriodMs = 1_000;
/** Whoever owns a shard stops deciding so long before its lease ends: that is told by another clock. */
const marginMs = 1_000;
/** Expiries go by our clock, and leases by the database's: they may not be further apart. */
const maximumClockOffsetMs = 1_000;
/** How long a shard that is let go may take to store what it has decided. */
const releasePatienceMs = 3_000;

/** Keeps the leases of this server: opens the shards that are its own, and closes those that are not. */
export class ShardKeeper implements AsyncDisposable {
  readonly #options: ShardKeeperOptions;
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;
  readonly #releasing = new Set<Shard>();
  #owners: ReadonlyMap<number, ShardOwner> = new Map();
  /** Where it is further off than may be. */
  #clockOffset: Micros | undefined;
  #isReadingHalts = false;

  constructor(options: ShardKeeperOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  /** Who else had a shard when it was last looked at. */
  ownerOf(shard: number): ShardOwner | undefined {
    return this.#owners.get(shard);
  }

  /** Why this server takes no shards, in words; undefined where it does. */
  get trouble(): string | undefined {
    if (this.#clockOffset === undefined) return undefined;
    const offMs = Math.round(Math.abs(this.#clockOffset) / 1000);
    const direction = this.#clockOffset < 0 ? 'ahead of' : 'behind';
    return `The clock is off by ${offMs} ms, ${direction} the database’s: no orders are decided here`;
  }

  /** Lets all shards go, so that others can take them at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    await this.#release(this.#options.shards);
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted;) {
      try {
        await this.#round();
        if (failures > 0) logger.info({ failures }, 'Shard leases are renewed again');
        failures = 0;
      } catch (error) {
        if (failures++ === 0) logger.warn({ err: error }, 'Shard leases cannot be renewed');
      }
      await sleep(clock, renewPeriodMs, signal).catch(() => {});
    }
  }

  async #round(): Promise<void> {
    const { leases, shards, reach } = this.#options;
    reach('leases.renewing');
    const round = await leases.renew();
    reach('leases.renewed');
    if (this.#stop.signal.aborted) return;
    this.#heed(round);
    void this.#takeHalts(round);
    const surplus = this.#surplus(round);
    if (surplus.length > 0) void this.#release(surplus);
    if (shards.every(({ lease }) => lease !== undefined)) this.#owners = new Map();
    else this.#owners = await leases.listOwners();
  }

  #heed({ leases, endMs }: LeaseRound): void {
    const { shards, logger } = this.#options;
    const decideUntilMs = endMs - marginMs;
    const lost: number[] = [];
    for (const shard of shards.filter((each) => !this.#releasing.has(each))) {
      const lease = leases.find((each) => each.shard === shard.number);
      if (lease === undefined) {
        if (shard.lease !== undefined) lost.push(shard.number);
        shard.close();
        continue;
      }
      const { session } = shard;
      // It may have been another's meanwhile. While it is loaded, its epoch rises by that.
      const isNew = session !== undefined && session.lease.epoch < lease.epoch;
      if (shard.lease === undefined || isNew) shard.open(lease, decideUntilMs);
      else shard.extend(decideUntilMs);
    }
    if (lost.length > 0) logger.warn({ shards: lost }, 'Shards were lost to another server');
  }

  /** Tells the shards what is halted, where that has changed. */
  async #takeHalts({ haltRevision }: LeaseRound): Promise<void> {
    const { shards, log, logger } = this.#options;
    const isBehind = ({ session }: Shard) =>
      session !== undefined && session.haltRevision < haltRevision;
    if (this.#isReadingHalts || !shards.some(isBehind)) return;
    this.#isReadingHalts = true;
    try {
      const halts = await log.readHalts();
      for (const { session } of shards) session?.takeHalts(halts);
    } catch (error) {
      // Until then what is appended is refused, and the shards are loaded with what is halted.
      logger.warn({ err: error }, 'It cannot be read what is halted, trying again');
    } finally {
      this.#isReadingHalts = false;
    }
  }

  /** The shards to let go: those beyond our share, or all when our clock is wrong. */
  #surplus({ fairShare, clockOffset }: LeaseRound): readonly Shard[] {
    const { shards, logger } = this.#options;
    const ours = shards.filter((shard) => shard.lease !== undefined && !this.#releasing.has(shard));
    const isClockRight = Math.abs(clockOffset) <= maximumClockOffsetMs * 1000;
    if (isClockRight !== (this.#clockOffset === undefined)) {
      const fields = { offsetMs: clockOffset / 1000 };
      if (isClockRight) logger.info(fields, 'The clock is right again');
      else
        logger.error(fields, 'The clock is not that of the database: no orders are decided here');
    }
    this.#clockOffset = isClockRight ? undefined : clockOffset;
    return isClockRight ? ours.slice(Math.min(fairShare, shardCount)) : ours;
  }

  async #release(shards: readonly Shard[]): Promise<void> {
    const { leases, clock, logger, reach } = this.#options;
    const ours = shards.filter((shard) => shard.lease !== undefined);
    if (ours.length === 0) return;
    for (const shard of ours) this.#releasing.add(shard);
    try {
      const patience = new AbortController();
      const { signal } = patience;
      const waited = sleep(clock, releasePatienceMs, signal).catch(() => {});
      await Promise.race([Promise.all(ours.map((shard) => shard.release())), waited]);
      patience.abort();
      for (const shard of ours) shard.close();
      reach('leases.releasing');
      await leases.release(ours.map(({ number }) => number));
      logger.info({ shards: ours.length }, 'Shards were let go');
    } catch (error) {
      // They end by themselves.
      logger.warn({ err: error }, 'Shard leases could not be released');
    } finally {
      for (const shard of ours) this.#releasing.delete(shard);
    }
  }
}
