import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { Clock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import type { ShardLease } from '../../../src/order/order-log.ts';
import { Random } from '../../../src/simulator/random.ts';
import { openDatabase } from '../../../src/store/database.ts';
import type { Database } from '../../../src/store/database.ts';
import type { LogEntry } from '../../../src/store/order/log-reader.ts';
import { openLogTail } from '../../../src/store/order/log-tail.ts';
import type { LogTail } from '../../../src/store/order/log-tail.ts';
import { DecidedOrder } from '../../support/decided-order.ts';
import { eventually } from '../../support/eventually.ts';
import { openPostgresDoor } from './order-log-doors.ts';
import { RandomTrading } from '../random-trading.ts';

describe('the tail of the log', () => {
  let door: Awaited<ReturnType<typeof openPostgresDoor>>;
  let database: Database;
  let leases: readonly ShardLease[];
  let tail: LogTail | undefined;

  /** Follows over connections of its own, so that cutting them cuts nobody else. */
  const follow = async (clock: Clock = systemClock, pollMs?: number) => {
    const { url } = door.database;
    tail = openLogTail({
      database,
      url,
      clock,
      logger: silentLogger,
      ...(pollMs !== undefined && { pollMs }),
    });
    await eventually(() => tail?.position !== undefined);
    const entries: LogEntry[] = [];
    tail.subscribe((some) => entries.push(...some));
    return entries;
  };
  const append = (lease: ShardLease | undefined, order = new DecidedOrder()) => {
    if (lease === undefined) throw new Error('Expected a lease');
    return door.log.append({ lease, haltRevision: 1, events: [order.accepted] });
  };
  const book = (sourceId: string) =>
    door.database.run(
      (sql) => sql`
      select record_executions(
        '{default}', '{binance:X}', '{test}', ${`{${sourceId}}`}, '{1}', '{1}', '{0}',
        '{2026-01-01T12:00:00Z}', '{NULL}'
      )`,
    );
  const listPositions = () =>
    door.database.run(
      (sql) => sql<{ position: number }>`
      select log_position as position from order_event
      union all select log_position from position_change
      order by position`,
    );
  const cut = () =>
    door.database.run(
      (sql) => sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name in ('tail', 'tradewind-log')`,
    );

  beforeEach(async () => {
    door = await openPostgresDoor();
    const { url } = door.database;
    database = openDatabase({ url, program: 'tail', clock: systemClock, logger: silentLogger });
    leases = (await door.leasesOf('one').renew()).leases;
  });
  afterEach(async () => {
    await tail?.[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
    await door[Symbol.asyncDispose]();
  });

  test('misses nothing under eight concurrent writers, also when it is cut off', async () => {
    const entries = await follow();
    const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
    console.log(`log tail: SEED=${seed}`);
    // A reader of its own, that asks all the time, as one that resumes does.
    const read: LogEntry[] = [];
    let isWriting = true;
    const readAll = async () => {
      for (;;) {
        const isOver = !isWriting;
        // It is cut off as well; where it stopped, it goes on.
        const page = await tail?.readAfter(read.at(-1)?.position ?? 0, 7).catch(() => undefined);
        read.push(...(page ?? []));
        if (isOver && page?.length === 0) return;
      }
    };
    const write = async (lease: ShardLease) => {
      const trading = new RandomTrading(`S${lease.shard}x`, new Random(seed + lease.shard));
      for (let batch = 0; batch < 20; batch++) {
        await door.log.append({ lease, haltRevision: 1, events: trading.decide(4) });
        if (lease.shard === 0 && batch % 6 === 3) await cut();
        await book(`${lease.shard}-${batch}`);
      }
    };
    const reading = readAll();
    await Promise.all(leases.slice(0, 8).map(write));
    isWriting = false;
    await reading;

    const stored = (await listPositions()).map(({ position }) => position);
    expect(stored.length).toBeGreaterThan(500);
    expect(read.map(({ position }) => position)).toEqual(stored);
    await eventually(() => entries.at(-1)?.position === stored.at(-1));
    expect(entries).toEqual(read);
  });

  test('is told of a commit, and need not ask', async () => {
    const entries = await follow(systemClock, 600_000);
    const order = new DecidedOrder();
    await append(leases[0], order);
    await eventually(() => entries.length === 1);
    await book('1');
    await eventually(() => entries.length === 2);
    expect(entries).toEqual([
      { type: 'order', position: 1, ...order.accepted },
      {
        type: 'position',
        position: 2,
        account: 'default',
        instrument: 'binance:X',
        earliest: { executedTime: Date.UTC(2026, 0, 1, 12) * 1000, source: 'test', sourceId: '1' },
        executionCount: 1,
      },
    ]);
    expect(tail?.position).toBe(2);
  });

  test('asks from time to time, should nobody tell it', async () => {
    const polls: (() => void)[] = [];
    const clock: Clock = {
      ...systemClock,
      setTimer: (delayMs, callback) => {
        if (delayMs === 77_777) polls.push(callback);
        return systemClock.setTimer(delayMs, callback);
      },
    };
    const entries = await follow(clock, 77_777);
    // Whoever writes without the function tells nobody.
    await door.database.run(
      (sql) => sql`
      insert into position_change values (5, 'default', 'binance:X', now(), 's', '1', 1, now())`,
    );
    await eventually(() => {
      polls.at(-1)?.();
      return entries.length === 1;
    });
  });

  test('goes on where it was after an outage, and begins at the end of the log', async () => {
    await append(leases[0]);
    const entries = await follow();
    expect(tail?.position).toBe(1);
    for (let round = 0; round < 3; round++) {
      await append(leases[round]);
      await cut();
      await append(leases[round]);
      const expected = 2 * (round + 1);
      await eventually(() => entries.length === expected);
    }
    expect(entries.map(({ position }) => position)).toEqual([2, 3, 4, 5, 6, 7]);
  });

  test('hands nothing to who has unsubscribed, and takes nobody before it knows the end', async () => {
    const away = openLogTail({
      database: openDatabase({
        url: 'postgres://nobody@127.0.0.1:1/none',
        program: 'tail',
        clock: systemClock,
        logger: silentLogger,
      }),
      url: 'postgres://nobody@127.0.0.1:1/none',
      clock: systemClock,
      logger: silentLogger,
    });
    expect(() => away.subscribe(() => {})).toThrow('The log cannot be read yet: try again');
    await away[Symbol.asyncDispose]();

    const entries = await follow();
    const others: LogEntry[] = [];
    const subscription = tail?.subscribe((some) => others.push(...some));
    await append(leases[0]);
    await eventually(() => entries.length === 1);
    subscription?.[Symbol.dispose]();
    await append(leases[0]);
    await eventually(() => entries.length === 2);
    expect(others).toHaveLength(1);
  });
});
