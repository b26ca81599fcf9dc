import type { Micros } from '../base/clock.ts';
import type { ShardLease } from './order-log.ts';

/** What a server knows after a round of its leases. */
export type LeaseRound = {
  /**
   * All shards that are this server's now, new ones among them. The epoch of one that was loaded
   * meanwhile may be behind what `OrderLog.load` answered: that one counts.
   */
  readonly leases: readonly ShardLease[];
  /** The leases end then if they are not renewed, in the clock's monotonic milliseconds. */
  readonly endMs: number;
  /** How many shards a server should have: whoever has more releases what is over. */
  readonly fairShare: number;
  /** Where it differs from what orders are decided under, `OrderLog.readHalts` tells the halts. */
  readonly haltRevision: number;
  /** The database's clock minus ours: beyond a second no shard is taken. */
  readonly clockOffset: Micros;
};

export type ShardOwner = {
  readonly owner: string;
  /** The URL at which it answers other servers. */
  readonly address: string;
};

/**
 * Who has which shard: store/shard-lease-store.ts over Postgres, a twin in tests. All throw in an
 * outage.
 */
export interface ShardLeases {
  /**
   * To be called every second: renews this server's leases, and takes shards that are free or
   * expired, up to its fair share among the servers that live.
   */
  renew(): Promise<LeaseRound>;
  /** Gives shards up, at once free for others; nothing sent before can be appended any more. */
  release(shards: readonly number[]): Promise<void>;
  /** The owners at this moment, by shard; a shard without a living owner is missing. */
  listOwners(): Promise<ReadonlyMap<number, ShardOwner>>;
}
