import type { Clock, Micros } from '../../base/clock.ts';
import type { LeaseRound, ShardLeases, ShardOwner } from '../../order/shard-leases.ts';
import { plainColumn } from '../column.ts';
import type { Database } from '../database.ts';
import { formatTimestamp } from '../timestamptz.ts';

/** How long a lease lasts without being renewed, by the database's clock. */
const leaseDurationMs = 5_000;

export type ShardLeaseOptions = {
  readonly database: Database;
  readonly clock: Clock;
  /** Names this life of the server: no other one ever has it. */
  readonly owner: string;
  /** The URL at which this server answers others. */
  readonly address: string;
};

/** The leases of shards in Postgres. */
export class ShardLeaseStore implements ShardLeases {
  readonly #options: ShardLeaseOptions;

  constructor(options: ShardLeaseOptions) {
    this.#options = options;
  }

  async renew(): Promise<LeaseRound> {
    const { database, clock, owner, address } = this.#options;
    // The lease begins when the database renews it, which is later.
    const sentMs = clock.monotonicMs();
    const sentTime = clock.now();
    const rows = await database.run(
      (sql) => sql<RenewedLease>`
        select shard, epoch, fair_share, halts, database_time
        from renew_shard_leases(
          ${owner}, ${address}, make_interval(secs => ${leaseDurationMs / 1000}),
          ${formatTimestamp(sentTime)}
        )
        left join lateral unnest(shards, epochs) as lease (shard, epoch) on true`,
    );
    const [first] = rows;
    if (first === undefined) throw new Error('Expected an answer to a renewal, got none');
    return {
      leases: rows.flatMap(({ shard, epoch }) =>
        shard === null || epoch === null ? [] : { shard, owner, epoch },
      ),
      endMs: sentMs + leaseDurationMs,
      fairShare: first.fair_share,
      haltRevision: first.halts,
      clockOffset: first.database_time - Math.round((sentTime + clock.now()) / 2),
    };
  }

  async release(shards: readonly number[]): Promise<void> {
    const { database, owner } = this.#options;
    const released = plainColumn(shards.map(String));
    await database.run((sql) => sql`select release_shard_leases(${owner}, ${released})`);
  }

  async listOwners(): Promise<ReadonlyMap<number, ShardOwner>> {
    const rows = await this.#options.database.run(
      (sql) => sql<ShardOwner & { readonly shard: number }>`
        select shard, owner, address from shard_lease join shard_owner using (owner)
        where expires_at > clock_timestamp()
        order by shard`,
    );
    return new Map(rows.map(({ shard, owner, address }) => [shard, { owner, address }]));
  }
}

/** A lease with the facts of its round; of a round without leases one row without a shard. */
type RenewedLease = {
  readonly shard: number | null;
  readonly epoch: number | null;
  readonly fair_share: number;
  readonly halts: number;
  readonly database_time: Micros;
};
