import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import type { PositionReader } from '../../src/position/position-reader.ts';
import { Positions } from '../../src/position/positions.ts';
import { anExecution } from '../support/an-execution.ts';
import { eventually } from '../support/eventually.ts';
import { TwinClock } from '../support/twin-clock.ts';
import { TwinPositions } from '../support/twin-positions.ts';

const start = Date.UTC(2026, 0, 1) * 1000;
const minute = 60_000_000;
const name = { account: 'default', instrument: 'external:123' };
const unit = 10n ** 18n;

/** Executions of 1 each, a minute after the other. */
const some = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) =>
    anExecution({ executedTime: start + (from + index) * minute }),
  );

function open(store = new TwinPositions(2)) {
  const clock = new TwinClock();
  const bounds = { chunkLength: 4, maximumTail: 5 };
  const positions = new Positions({ store, clock, logger: silentLogger, ...bounds });
  /** How many executions are kept in segments. */
  const kept = async () => {
    const [tail] = await store.readTails(name.account, [name.instrument], {
      until: undefined,
      wanted: 9_999,
    });
    return 2 + (tail?.segment?.before.executionCount ?? -2);
  };
  return { store, clock, positions, reader: positions.reader, kept };
}

describe('the example of Trade Tracker', () => {
  const second = 1_000_000;
  const first = 1_650_896_178 * second;
  const example: [string, string, string, number][] = [
    ['123', '100', '23', 0],
    ['233', '50', '6', 0],
    ['123', '7', '23', 2],
    ['123', '25', '23', 3],
    ['233', '150', '7', 3],
  ];
  test.each([
    ['123', [undefined, 100n, 100n, 107n, 132n, 132n]],
    ['233', [undefined, 50n, 50n, 50n, 200n, 200n]],
  ])('gives what it had of %s at every second', async (id, quantities) => {
    const { store, reader } = open();
    const executions = example.map(([id, quantity, price, offset]) =>
      anExecution({
        instrument: `external:${id}`,
        quantity,
        price,
        executedTime: first + offset * second,
      }),
    );
    await store.record([...executions.toReversed(), ...executions]);
    for (const [index, quantity] of quantities.entries()) {
      const at = first + (index - 1) * second;
      const position = await reader.position({ ...name, instrument: `external:${id}` }, at);
      expect(position && position.quantity / unit).toBe(quantity);
    }
  });
});

test('without executions by then there is no position', async () => {
  const { store, reader } = open();
  expect(await reader.position(name)).toBeUndefined();
  expect(await reader.position(name, start)).toBeUndefined();
  await store.record(some(9));
  await reader.position(name);
  expect(await reader.position(name, start - 1)).toBeUndefined();
});

test('the latest position is as of its last execution, one at a moment as of that', async () => {
  const { store, reader } = open();
  await store.record(some(2));
  expect(await reader.position(name)).toMatchObject({ asOf: start + minute });
  const position = await reader.position(name, start + minute - 1);
  expect(position).toMatchObject({ asOf: start + minute - 1, lastExecutedTime: start });
});

test('a few executions behind the segments are folded, more are kept first', async () => {
  const { store, reader, kept } = open();
  await store.record(some(5));
  expect((await reader.position(name))?.executionCount).toBe(5);
  expect(await kept()).toBe(0);
  await store.record(some(20, 5));
  expect((await reader.position(name))?.executionCount).toBe(25);
  expect(await kept()).toBe(24);
});

test('only as much is folded and kept as the moment needs', async () => {
  const { store, reader, kept } = open();
  await store.record(some(50));
  expect((await reader.position(name, start + 10 * minute))?.executionCount).toBe(11);
  expect(await kept()).toBe(10);
});

test('a fold that takes too long for one snapshot goes on in the next', async () => {
  const clock = new TwinClock();
  let snapshots = 0;
  class Slow extends TwinPositions {
    override snapshot: TwinPositions['snapshot'] = (work) => {
      snapshots++;
      return super.snapshot(work);
    };
  }
  const store = new Slow(2, async () => clock.moveTo(clock.now() + 1_000_000));
  const positions = new Positions({ store, clock, logger: silentLogger, chunkLength: 4 });
  await store.record(some(40));
  const { state } = await positions.builder.build(name, undefined);
  expect(state.executionCount).toBe(40);
  expect(snapshots).toBeGreaterThan(3);
});

test('a short fold does not wait for all of a long one', async () => {
  const clock = new TwinClock();
  const store = new TwinPositions(2, async () => clock.moveTo(clock.now() + 1_000_000));
  const positions = new Positions({ store, clock, logger: silentLogger, chunkLength: 4 });
  const other = { ...name, instrument: 'external:9' };
  await store.record([...some(40), anExecution(other)]);
  const order: string[] = [];
  await Promise.all([
    positions.builder.build(name, undefined).then(() => order.push('long')),
    positions.builder.build(other, undefined).then(() => order.push('short')),
  ]);
  expect(order).toEqual(['short', 'long']);
});

describe('where late executions undo what a long fold keeps', () => {
  /** Something late comes after each step; a step takes a second, and what is kept is undone. */
  class Undone extends TwinPositions {
    snapshots = 0;
    override snapshot: TwinPositions['snapshot'] = async (work) => {
      this.snapshots++;
      const result = await super.snapshot(work);
      await this.dropSegments(name, start);
      return result;
    };
  }

  test('it comes to its end in the second snapshot', async () => {
    const clock = new TwinClock();
    const store = new Undone(2, async () => clock.moveTo(clock.now() + 1_000_000));
    const positions = new Positions({ store, clock, logger: silentLogger, chunkLength: 4 });
    await store.record(some(40));
    const { state } = await positions.builder.build(name, undefined);
    expect(state.executionCount).toBe(40);
    expect(store.snapshots).toBe(2);
  });

  test('it comes to its end in the first one when it notices that', async () => {
    const clock = new TwinClock();
    class Refusing extends Undone {
      override saveSegments = async () => false;
    }
    const store = new Refusing(2, async () => clock.moveTo(clock.now() + 300_000));
    const positions = new Positions({ store, clock, logger: silentLogger, chunkLength: 4 });
    await store.record(some(40));
    expect((await positions.builder.build(name, undefined)).state.executionCount).toBe(40);
    expect(store.snapshots).toBe(1);
  });

  test('it is refused when that takes a minute', async () => {
    const clock = new TwinClock();
    const store = new Undone(2, async () => clock.moveTo(clock.now() + 10_000_000));
    const positions = new Positions({ store, clock, logger: silentLogger, chunkLength: 4 });
    await store.record(some(100));
    await expect(positions.builder.build(name, undefined)).rejects.toMatchObject({
      reason: 'unavailable',
    });
    expect(store.snapshots).toBe(2);
  });

  test('whoever needs no answer leaves it', async () => {
    const clock = new TwinClock();
    class Refusing extends Undone {
      override saveSegments = async () => false;
    }
    const store = new Refusing(2, async () => clock.moveTo(clock.now() + 1_000_000));
    const positions = new Positions({ store, clock, logger: silentLogger, chunkLength: 4 });
    await store.record(some(40));
    await positions.builder.keep(name);
    expect(store.snapshots).toBe(1);
    expect(clock.now()).toBeLessThan(start + 10_000_000);
  });
});

describe('a fold that nobody wants any more', () => {
  test('ends after the chunk that it is at', async () => {
    const { store, positions, kept } = open();
    await store.record(some(40));
    const left = new AbortController();
    const told: number[] = [];
    const onProgress = (executions: number) => {
      told.push(executions);
      if (told.length === 2) left.abort();
    };
    const fold = positions.builder.build(name, undefined, { onProgress, signal: left.signal });
    await expect(fold).rejects.toMatchObject({ name: 'AbortError' });
    await positions.builder.build({ ...name, instrument: 'external:9' }, undefined);
    expect(told).toEqual([4, 4]);
    expect(await kept()).toBe(8);
  });

  test.each<[string, (reader: PositionReader, signal: AbortSignal) => Promise<unknown>]>([
    ['position', (reader, signal) => reader.position(name, undefined, signal)],
    ['position at a time', (reader, signal) => reader.position(name, start + 20 * minute, signal)],
    ['list', (reader, signal) => reader.positions(name.account, { limit: 9, signal })],
    [
      'history',
      (reader, signal) =>
        reader.history(name, { bin: '1h', from: start, to: start + 60 * minute, limit: 9, signal }),
    ],
  ])('is not begun for a %s', async (_, read) => {
    const { store, reader, kept } = open();
    await store.record(some(40));
    await expect(read(reader, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(await kept()).toBe(0);
  });

  test('gives its place up at once, also while it waits for its turn', async () => {
    const gate = Promise.withResolvers<void>();
    class Gated extends TwinPositions {
      override snapshot: TwinPositions['snapshot'] = (work) =>
        gate.promise.then(() => super.snapshot(work));
    }
    const { store, positions } = open(new Gated(2));
    await store.record(some(9));
    const left = new AbortController();
    const { signal } = left;
    const folds = Array.from({ length: 64 }, () =>
      positions.builder.build(name, undefined, { signal }),
    );
    left.abort();
    for (const { status } of await Promise.allSettled(folds)) expect(status).toBe('rejected');
    const other = positions.builder.build(name, undefined);
    gate.resolve();
    expect((await other).state.executionCount).toBe(9);
  });
});

test('an answer does not depend on whether its segments are kept', async () => {
  class Broken extends TwinPositions {
    override saveSegments = async (): Promise<boolean> => {
      throw new Error('No connection is free');
    };
  }
  const { store, reader, kept } = open(new Broken(2));
  await store.record(some(40));
  expect((await reader.position(name))?.executionCount).toBe(40);
  expect(await kept()).toBe(0);
});

test('more folds than can wait are refused, the others are done', async () => {
  const { store, positions } = open();
  await store.record(some(9));
  const folds = Array.from({ length: 65 }, () => positions.builder.build(name, undefined));
  const results = await Promise.allSettled(folds);
  const refused = results.filter(({ status }) => status === 'rejected');
  expect(refused).toMatchObject([{ reason: { reason: 'unavailable' } }]);
  expect((await positions.builder.build(name, undefined)).state.executionCount).toBe(9);
});

test('what is recorded is kept in segments in the background, also after an outage', async () => {
  let isAway = false;
  class Away extends TwinPositions {
    override changesAfter: TwinPositions['changesAfter'] = (...question) => {
      if (isAway) throw new Error('The database is away');
      return super.changesAfter(...question);
    };
  }
  const { store, clock, positions, kept } = open(new Away(2));
  await using _ = positions.keepUp();
  await eventually(() => clock.pendingTimers === 1);
  await store.record(some(20));
  isAway = true;
  await clock.advance(3_000, 500);
  expect(await kept()).toBe(0);
  isAway = false;
  await eventually(async () => {
    await clock.advance(1_000);
    return (await kept()) === 20;
  });
});

test('a position that cannot be kept does not keep the others from it, and is tried again', async () => {
  let isPoisoned = true;
  class Poisoned extends TwinPositions {
    override snapshot: TwinPositions['snapshot'] = (work) =>
      super.snapshot((snapshot) =>
        work({
          ...snapshot,
          readTail: (asked, query) => {
            if (isPoisoned && asked.instrument === 'external:1') throw new Error('Unreadable');
            return snapshot.readTail(asked, query);
          },
        }),
      );
  }
  const { store, clock, positions, kept } = open(new Poisoned(2));
  await using _ = positions.keepUp();
  await eventually(() => clock.pendingTimers === 1);
  const first = { ...name, instrument: 'external:1' };
  await store.record([...some(2).map((execution) => ({ ...execution, ...first })), ...some(20)]);
  await eventually(async () => {
    await clock.advance(1_000);
    return (await kept()) === 20;
  });
  isPoisoned = false;
  await eventually(async () => {
    await clock.advance(1_000);
    const [tail] = await store.readTails(first.account, [first.instrument], {
      until: undefined,
      wanted: 9,
    });
    return tail?.segment !== undefined;
  });
});

describe('a rebuild', () => {
  test('makes everything anew and tells how far it is', async () => {
    const { store, positions, kept } = open();
    const other = { account: 'other', instrument: 'external:1' };
    await store.record([...some(10), anExecution(other)]);
    const told: string[] = [];
    const result = await positions.rebuild({ since: 0 }, (progress) => {
      told.push(`${progress.name.account} ${progress.positionCount} ${progress.executionCount}`);
    });
    expect(told).toEqual([
      'default 0 4',
      'default 0 8',
      'default 0 10',
      'default 1 10',
      'other 1 11',
      'other 2 11',
    ]);
    expect(result).toEqual({ positionCount: 2, executionCount: 11 });
    expect(await kept()).toBe(10);
  });

  test('after a time does only what follows it, and of what is asked for', async () => {
    const { store, positions } = open();
    const other = { account: 'default', instrument: 'external:1' };
    await store.record([...some(10), anExecution(other)]);
    await positions.rebuild({ since: 0 });
    const scope = { ...name, since: start + 6 * minute };
    expect(await positions.rebuild(scope)).toEqual({ positionCount: 1, executionCount: 4 });
    const nothing = { account: 'nobody', since: 0 };
    expect(await positions.rebuild(nothing)).toEqual({ positionCount: 0, executionCount: 0 });
  });

  test('of one position does not look for others', async () => {
    class Endless extends TwinPositions {
      override listNames = async (): Promise<never> => {
        throw new Error('There are too many');
      };
    }
    const { store, positions } = open(new Endless(2));
    await store.record(some(10));
    expect(await positions.rebuild({ ...name, since: 0 })).toMatchObject({ positionCount: 1 });
    const other = { ...name, instrument: 'external:9', since: 0 };
    expect(await positions.rebuild(other)).toMatchObject({ positionCount: 0 });
  });

  test('can be given up', async () => {
    const { store, positions } = open();
    const other = { account: 'other', instrument: 'external:1' };
    await store.record([...some(10), anExecution(other)]);
    const given = new AbortController();
    const rebuild = positions.rebuild({ since: 0 }, () => given.abort(), given.signal);
    await expect(rebuild).rejects.toMatchObject({ name: 'AbortError' });
  });
});

describe('a history', () => {
  const hour = 60 * minute;

  test('has high, low and volume of each bin, and carries the quantity on', async () => {
    const { store, reader } = open();
    const quantities: [number, string][] = [
      [10, '5'],
      [20, '-8'],
      [30, '4'],
      [190, '1'],
    ];
    await store.record(
      quantities.map(([minutes, quantity]) =>
        anExecution({ quantity, executedTime: start + minutes * minute }),
      ),
    );
    const query = { bin: '1h', from: start - hour + 1, to: start + 4 * hour, limit: 9 } as const;
    const { bins, next } = await reader.history(name, query);
    const lines = bins.map((bin) =>
      [
        (bin.openTime - start) / hour,
        bin.openQuantity,
        bin.highQuantity,
        bin.lowQuantity,
        bin.closeQuantity,
        bin.tradedVolume,
      ]
        .map((value) => (typeof value === 'bigint' ? value / unit : value))
        .join(' '),
    );
    expect(lines).toEqual([
      '-1 0 0 0 0 0',
      '0 0 5 -3 1 17',
      '1 1 1 1 1 0',
      '2 1 1 1 1 0',
      '3 1 2 1 2 1',
    ]);
    expect(next).toBeUndefined();
  });

  test('comes in pages, and tells where the next one begins', async () => {
    const { store, reader } = open();
    await store.record(some(30));
    const query = { bin: '1m', from: start, to: start + 30 * minute, limit: 12 } as const;
    const page = await reader.history(name, query);
    expect(page.bins).toHaveLength(12);
    expect(page.next).toBe(start + 12 * minute);
    const rest = await reader.history(name, { ...query, from: page.next ?? 0, limit: 99 });
    expect(rest.bins.map(({ closeQuantity }) => closeQuantity / unit)).toEqual(
      Array.from({ length: 18 }, (_, index) => BigInt(13 + index)),
    );
    expect(rest.next).toBeUndefined();
  });

  test('of a week begins with the first moment there is, and an empty range has no bins', async () => {
    const { reader } = open();
    const { bins } = await reader.history(name, { bin: '1w', from: 0, to: 1, limit: 9 });
    expect(bins).toMatchObject([{ openTime: 0, closeQuantity: 0n }]);
    const empty = { bin: '1m', from: start, to: start, limit: 9 } as const;
    expect(await reader.history(name, empty)).toEqual({ bins: [], next: undefined });
  });

  test('has a thousand bins at most', async () => {
    const { reader } = open();
    const query = { bin: '1s', from: start, to: start + hour, limit: 1e9 } as const;
    const { bins, next } = await reader.history(name, query);
    expect(bins).toHaveLength(1_000);
    expect(next).toBe(start + 1_000 * 1_000_000);
  });
});

test('positions of an account come by instrument, in pages, without those that begin later', async () => {
  const { store, reader } = open();
  const executions = ['d', 'b', 'c', 'a'].flatMap((symbol, index) =>
    some(6, index).map((execution) => ({ ...execution, instrument: `x:${symbol}` })),
  );
  await store.record(executions);
  const list = async (query: object) =>
    (await reader.positions('default', { limit: 99, ...query })).map(({ instrument }) =>
      instrument.slice(2),
    );
  expect(await list({})).toEqual(['a', 'b', 'c', 'd']);
  expect(await list({ limit: 2 })).toEqual(['a', 'b']);
  expect(await list({ limit: 2, after: 'x:b' })).toEqual(['c', 'd']);
  expect(await list({ at: start + minute, limit: 2 })).toEqual(['b', 'd']);
  expect(await list({ at: start - 1 })).toEqual([]);
});
