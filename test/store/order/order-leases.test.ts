import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Clock } from '../../../src/base/clock.ts';
import type { ShardLease } from '../../../src/order/order-log.ts';
import { DecidedOrder } from '../../support/decided-order.ts';
import { openPostgresDoor, openTwinDoor } from './order-log-doors.ts';
import type { OrderLogDoor } from './order-log-doors.ts';

const all = Array.from({ length: 16 }, (_, shard) => shard);
const shardsOf = ({ leases }: { readonly leases: readonly ShardLease[] }) =>
  leases.map(({ shard }) => shard);

describe.each([
  ['in Postgres', openPostgresDoor],
  ['of the twin', openTwinDoor],
])('the shards of the order log %s', (_, open) => {
  let door: OrderLogDoor;
  beforeEach(async () => {
    door = await open();
  });
  afterEach(() => door[Symbol.asyncDispose]());

  const accept = (lease: ShardLease, haltRevision = 1, order = new DecidedOrder()) =>
    door.log.append({ lease, haltRevision, events: [order.accepted] });
  const first = ({ leases: [lease] }: { readonly leases: readonly ShardLease[] }) => {
    if (lease === undefined) throw new Error('Expected a lease');
    return lease;
  };

  test('all belong to a server that is alone, until it has not renewed for the duration', async () => {
    await door.log.readHalts();
    const sentMs = systemClock.monotonicMs();
    const round = await door.leasesOf('one').renew();
    expect(shardsOf(round)).toEqual(all);
    expect(round.fairShare).toBe(16);
    // Never later than the database has it.
    expect(round.endMs).toBeGreaterThanOrEqual(sentMs + 5_000);
    expect(round.endMs).toBeLessThanOrEqual(systemClock.monotonicMs() + 5_000);

    expect(shardsOf(await door.leasesOf('two').renew())).toEqual([]);
    await door.expireOwner('one');
    const taken = await door.leasesOf('two').renew();
    expect(shardsOf(taken)).toEqual(all);
    expect(
      taken.leases.every(({ epoch }, shard) => epoch > (round.leases[shard]?.epoch ?? 0)),
    ).toBe(true);
    // Who was away longer than that finds out, and has no claim to any.
    expect(shardsOf(await door.leasesOf('one').renew())).toEqual([]);
  });

  test('stay with a server that is late when nobody has taken them', async () => {
    const before = await door.leasesOf('one').renew();
    await door.expireOwner('one');
    expect((await door.leasesOf('one').renew()).leases).toEqual(before.leases);
  });

  test('are divided fairly among the servers that live, as they release what is over', async () => {
    const one = door.leasesOf('one');
    const two = door.leasesOf('two');
    await one.renew();
    expect(await two.renew()).toMatchObject({ leases: [], fairShare: 8 });
    const { leases, fairShare } = await one.renew();
    expect(fairShare).toBe(8);
    await one.release(leases.slice(fairShare).map(({ shard }) => shard));
    expect(shardsOf(await two.renew())).toEqual(all.slice(8));
    expect(shardsOf(await one.renew())).toEqual(all.slice(0, 8));
    expect((await door.leasesOf('three').renew()).fairShare).toBe(6);

    // Who goes, leaves all to the others, and at once.
    await two.release(all);
    expect(await one.renew()).toMatchObject({ fairShare: 8 });
    await one.release(all);
    expect(shardsOf(await door.leasesOf('three').renew())).toEqual(all);
  });

  test('are known with their owners’ addresses, while these live', async () => {
    const leases = door.leasesOf('one');
    expect(await leases.listOwners()).toEqual(new Map());
    await leases.renew();
    const owner = { owner: 'one', address: 'http://one' };
    expect(await leases.listOwners()).toEqual(new Map(all.map((shard) => [shard, owner])));
    await leases.release(all.slice(2));
    expect([...(await leases.listOwners()).keys()]).toEqual([0, 1]);
    await door.expireOwner('one');
    expect(await leases.listOwners()).toEqual(new Map());
  });

  test.each([
    [2_500_000, []],
    [-1_500_000, []],
    [0, all],
  ])('are taken by a server whose clock is %d µs off: %j', async (offset, expected) => {
    // The connection is made before, so that what the clocks differ by is not the way there.
    await door.log.readHalts();
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + offset };
    const round = await door.leasesOf('one', clock).renew();
    expect(shardsOf(round)).toEqual(expected);
    expect(Math.abs(round.clockOffset + offset)).toBeLessThan(1_000_000);
    // It keeps none from the others either.
    if (expected.length === 0) expect((await door.leasesOf('two').renew()).fairShare).toBe(16);
  });

  test('take nothing from who had them before', async () => {
    const { leases } = await door.leasesOf('one').renew();
    const order = new DecidedOrder();
    await accept(first({ leases }), 1, order);
    await door.expireOwner('one');
    await door.leasesOf('two').renew();
    // As one that was stopped, and woke.
    for (const lease of leases.slice(0, 2)) {
      expect(await accept(lease)).toEqual({ type: 'refused', reason: 'leaseLost' });
      expect(await door.log.load(lease)).toBeUndefined();
    }
    const events = [order.split({ quantity: '1' })];
    expect(await door.log.append({ lease: first({ leases }), haltRevision: 1, events })).toEqual({
      type: 'refused',
      reason: 'leaseLost',
    });
    expect(await door.listEvents()).toEqual([order.accepted]);
  });

  test('take nothing that was sent before they were loaded', async () => {
    const lease = first(await door.leasesOf('one').renew());
    const contents = await door.log.load(lease);
    expect(contents?.lease.epoch).toBeGreaterThan(lease.epoch);
    expect(await accept(lease)).toEqual({ type: 'refused', reason: 'leaseLost' });
    // With the old lease, as when the answer to the load was lost.
    const again = await door.log.load(lease);
    expect(again?.lease.epoch).toBeGreaterThan(contents?.lease.epoch ?? 0);
    expect(await accept(again?.lease ?? lease)).toMatchObject({ type: 'committed' });
  });

  test('take nothing that was released', async () => {
    const leases = door.leasesOf('one');
    const lease = first(await leases.renew());
    await leases.release([lease.shard]);
    expect(await accept(lease)).toEqual({ type: 'refused', reason: 'leaseLost' });
  });

  test('take nothing that was decided under other halts', async () => {
    const leases = door.leasesOf('one');
    const { haltRevision: before, ...round } = await leases.renew();
    const lease = first(round);
    const reason = 'a test';
    const halts = [
      [() => door.halt('alice'), undefined, ['alice']],
      [() => door.halt('bob'), undefined, ['alice', 'bob']],
      [() => door.halt(), reason, ['alice', 'bob']],
      [() => door.resume('alice'), reason, ['bob']],
      [() => door.resume(), undefined, ['bob']],
    ] as const;
    let revision = before;
    for (const [change, everything, accounts] of halts) {
      await change();
      expect(await accept(lease, revision)).toEqual({ type: 'refused', reason: 'haltsChanged' });
      const found = await door.log.readHalts();
      expect(found.revision).toBeGreaterThan(revision);
      expect(found.everything).toBe(everything);
      expect(found.accounts).toEqual(new Map(accounts.map((account) => [account, reason])));
      revision = found.revision;
      expect((await leases.renew()).haltRevision).toBe(revision);
      expect(await accept(lease, revision)).toMatchObject({ type: 'committed' });
    }
  });
});
