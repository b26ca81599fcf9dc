import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import type { PositionReader } from '../../src/position/position-reader.ts';
import { Positions } from '../../src/position/positions.ts';
import { anExecution } from '../support/an-execution.ts';
import { minute, name, openPositions, someExecutions, start } from '../support/opened-positions.ts';
import { TwinClock } from '../support/twin-clock.ts';
import { TwinPositions } from '../support/twin-positions.ts';

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
  await store.record(someExecutions(40));
  const { state } = await positions.builder.build(name, undefined);
  expect(state.executionCount).toBe(40);
  expect(snapshots).toBeGreaterThan(3);
});

test('a short fold does not wait for all of a long one', async () => {
  const clock = new TwinClock();
  const store = new TwinPositions(2, async () => clock.moveTo(clock.now() + 1_000_000));
  const positions = new Positions({ store, clock, logger: silentLogger, chunkLength: 4 });
  const other = { ...name, instrument: 'external:9' };
  await store.record([...someExecutions(40), anExecution(other)]);
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
    await store.record(someExecutions(40));
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
    await store.record(someExecutions(40));
    expect((await positions.builder.build(name, undefined)).state.executionCount).toBe(40);
    expect(store.snapshots).toBe(1);
  });

  test('it is refused when that takes a minute', async () => {
    const clock = new TwinClock();
    const store = new Undone(2, async () => clock.moveTo(clock.now() + 10_000_000));
    const positions = new Positions({ store, clock, logger: silentLogger, chunkLength: 4 });
    await store.record(someExecutions(100));
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
    await store.record(someExecutions(40));
    await positions.builder.keep(name);
    expect(store.snapshots).toBe(1);
    expect(clock.now()).toBeLessThan(start + 10_000_000);
  });
});

test('those who ask the same while a fold waits for its turn get one answer', async () => {
  let snapshots = 0;
  class Counting extends TwinPositions {
    override snapshot: TwinPositions['snapshot'] = (work) => {
      snapshots++;
      return super.snapshot(work);
    };
  }
  const { store, reader } = openPositions(new Counting(2));
  await store.record(someExecutions(40));
  const left = new AbortController();
  const leaver = reader.position(name, undefined, left.signal);
  const others = Array.from({ length: 99 }, () => reader.position(name));
  left.abort();
  await expect(leaver).rejects.toMatchObject({ name: 'AbortError' });
  for (const position of await Promise.all(others)) expect(position?.executionCount).toBe(40);
  expect(snapshots).toBe(1);
});

describe('a fold that nobody wants any more', () => {
  test('ends after the chunk that it is at', async () => {
    const { store, positions, kept } = openPositions();
    await store.record(someExecutions(40));
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
    const { store, reader, kept } = openPositions();
    await store.record(someExecutions(40));
    await expect(read(reader, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
    expect(await kept()).toBe(0);
  });

  test('gives its place up at once, also while it waits for its turn', async () => {
    const gate = Promise.withResolvers<void>();
    class Gated extends TwinPositions {
      override snapshot: TwinPositions['snapshot'] = (work) =>
        gate.promise.then(() => super.snapshot(work));
    }
    const { store, positions } = openPositions(new Gated(2));
    await store.record(someExecutions(9));
    const left = new AbortController();
    const { signal } = left;
    const folds = Array.from({ length: 64 }, (_, n) =>
      positions.builder.build(name, start + n, { signal }),
    );
    left.abort();
    for (const { status } of await Promise.allSettled(folds)) expect(status).toBe('rejected');
    // All that follows from it has happened.
    await nextTurn();
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
  const { store, reader, kept } = openPositions(new Broken(2));
  await store.record(someExecutions(40));
  expect((await reader.position(name))?.executionCount).toBe(40);
  expect(await kept()).toBe(0);
});

test('more folds than can wait are refused, the others are done', async () => {
  const { store, positions } = openPositions();
  await store.record(someExecutions(9));
  const folds = Array.from({ length: 65 }, (_, n) => positions.builder.build(name, start + n));
  const results = await Promise.allSettled(folds);
  const refused = results.filter(({ status }) => status === 'rejected');
  expect(refused).toMatchObject([{ reason: { reason: 'unavailable' } }]);
  expect((await positions.builder.build(name, undefined)).state.executionCount).toBe(9);
});
