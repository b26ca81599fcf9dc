import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Execution } from '../../../src/domain/execution.ts';
import type { PositionName } from '../../../src/domain/position.ts';
import { SegmentFold } from '../../../src/position/segment-fold.ts';
import { ExecutionStore } from '../../../src/store/position/execution-store.ts';
import type { PositionStore } from '../../../src/store/position/position-store.ts';
import { PostgresPositionStore } from '../../../src/store/position/postgres-position-store.ts';
import { anExecution } from '../../support/an-execution.ts';
import { openTestDatabase } from '../../support/postgres.ts';
import { TwinPositions } from '../../support/twin-positions.ts';

const start = Date.UTC(2026, 0, 1) * 1000;
const segmentLength = 3;

type Stores = PositionStore & Pick<ExecutionStore, 'record'>;

describe.each(['in Postgres', 'of the twin'])('the position store %s', (where) => {
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  let store: Stores;
  let accounts = 0;
  const aName = (): PositionName => ({ account: `a-${++accounts}`, instrument: 'external:123' });
  /** Executions of 1 each, a microsecond after the other. */
  const some = (name: PositionName, count: number, from = 0): Execution[] =>
    Array.from({ length: count }, (_, index) =>
      anExecution({ ...name, executedTime: start + from + index }),
    );

  beforeAll(async () => {
    if (where === 'of the twin') {
      store = new TwinPositions(segmentLength);
      return;
    }
    database = await openTestDatabase();
    const executions = new ExecutionStore(database);
    store = Object.assign(new PostgresPositionStore(database, segmentLength), {
      record: (some: readonly Execution[]) => executions.record(some),
    });
  });
  afterAll(() => database?.[Symbol.asyncDispose]());

  /** Folds all there is, up to the given step, and tells how to save it. */
  const fold = (name: PositionName, wanted = 99) =>
    store.snapshot(async (snapshot) => {
      const seenThrough = await snapshot.lastChange(name);
      const tail = await snapshot.readTail(name, { until: undefined, wanted });
      const fold = new SegmentFold(segmentLength, tail.segment);
      const base = fold.end;
      const segments = fold.apply(tail);
      return { segments, save: () => store.saveSegments(name, base, seenThrough, segments) };
    });
  const keptLengths = async (name: PositionName) => {
    const [tail] = await store.readTails(name.account, [name.instrument], {
      until: undefined,
      wanted: 99,
    });
    const { segment, executions } = tail ?? {};
    const before = segment?.before.executionCount ?? 0;
    return [before + (segment?.executions.length ?? 0), executions?.length];
  };

  test('keeps whole segments, and reads what is behind them', async () => {
    const name = aName();
    await store.record(some(name, 8));
    expect(await keptLengths(name)).toEqual([0, 8]);
    const { segments, save } = await fold(name);
    expect(segments.map(({ endQuantity }) => endQuantity / 10n ** 18n)).toEqual([3n, 6n]);
    expect(await save()).toBe(true);
    expect(await keptLengths(name)).toEqual([6, 2]);
  });

  test('answers for a moment with the segment that ends after it', async () => {
    const name = aName();
    await store.record(some(name, 8));
    await (await fold(name)).save();
    const partAt = async (offset: number) => {
      const moment = await store.readMoment(name, start + offset, 99);
      return moment.type === 'within' ? moment.part : undefined;
    };
    const countBefore = async (offset: number) => (await partAt(offset))?.before.executionCount;
    expect(await countBefore(-1)).toBe(0);
    expect(await countBefore(1)).toBe(0);
    expect(await countBefore(2)).toBe(3);
    expect(await countBefore(4)).toBe(3);
    expect(await countBefore(5)).toBeUndefined();
    const part = await partAt(4);
    expect(part?.previousTime).toBe(start + 2);
    expect(part?.executions.timeAt(2)).toBe(start + 5);
  });

  test('answers for a moment behind the segments with the last one and what follows up to then', async () => {
    const name = aName();
    await store.record(some(name, 9));
    const countsAt = async (offset: number, wanted: number) => {
      const moment = await store.readMoment(name, start + offset, wanted);
      if (moment.type === 'within') return [];
      const { segment, executions } = moment.tail;
      return [segment?.before.executionCount, executions.length];
    };
    expect(await countsAt(4, 99)).toEqual([undefined, 5]);
    expect(await countsAt(4, 2)).toEqual([undefined, 2]);
    await (await fold(name, 7)).save();
    expect(await countsAt(7, 99)).toEqual([3, 2]);
    expect(await countsAt(-1, 99)).toEqual([]);
  });

  test('reads up to a time, on from a key, and as many as wanted', async () => {
    const name = aName();
    const executions = some(name, 9);
    await store.record(executions);
    const [, , third] = executions;
    await store.snapshot(async (snapshot) => {
      const tail = await snapshot.readTail(name, { until: start + 6, wanted: 99 });
      expect(tail.executions.length).toBe(7);
      expect(tail.sourceIds).toEqual(executions.slice(0, 7).map(({ sourceId }) => sourceId));
      expect(new Set(tail.sources)).toEqual(new Set(['test']));
      if (third === undefined) return;
      const rest = await snapshot.readAfter(name, third, { until: undefined, wanted: 4 });
      expect(rest.executions.length).toBe(4);
      expect(rest.executions.timeAt(0)).toBe(start + 3);
    });
  });

  test('a late execution takes away the segment that it falls into, and all behind', async () => {
    const name = aName();
    await store.record(some(name, 9, 10));
    await (await fold(name)).save();
    expect(await keptLengths(name)).toEqual([9, 0]);
    await store.record([anExecution({ ...name, executedTime: start + 14 })]);
    expect(await keptLengths(name)).toEqual([3, 7]);
    await store.record([anExecution({ ...name, executedTime: start })]);
    expect(await keptLengths(name)).toEqual([0, 11]);
  });

  test.each<[string, boolean, (executions: readonly Execution[]) => Partial<Execution>]>([
    ['before their end', false, () => ({ executedTime: start + 4 })],
    ['before their end by bytes', false, ([, , , , , last]) => ({ ...last, sourceId: '!' })],
    ['behind them by bytes', true, ([, , , , , last]) => ({ ...last, sourceId: '~' })],
    ['behind them', true, () => ({ executedTime: start + 6 })],
    ['in another instrument', true, () => ({ executedTime: start, instrument: 'external:9' })],
  ])('when meanwhile something comes %s, segments are kept: %s', async (_, isKept, late) => {
    const name = aName();
    const executions = some(name, 6);
    await store.record(executions);
    const { save } = await fold(name);
    await store.record([{ ...anExecution(name), ...late(executions) }]);
    expect(await save()).toBe(isKept);
  });

  test('segments are not kept where those before them have gone', async () => {
    const name = aName();
    await store.record(some(name, 3));
    await (await fold(name)).save();
    await store.record(some(name, 3, 3));
    const { save } = await fold(name);
    await store.dropSegments(name, start + 2);
    expect(await save()).toBe(false);
    expect(await keptLengths(name)).toEqual([0, 6]);
  });

  test('what two keep at once is there once', async () => {
    const name = aName();
    await store.record(some(name, 6));
    const folds = [await fold(name), await fold(name)];
    expect(await Promise.all(folds.map(({ save }) => save()))).toEqual([true, true]);
    // Postgres sums them up, the twin does not.
    const pieces = await store.readHistory(name, [start, start + 100], 9);
    const volumes = pieces.map((piece) => ('volume' in piece ? piece.volume / 10n ** 18n : 0n));
    expect(volumes.reduce((sum, volume) => sum + volume, 0n)).toBe(6n);
  });

  test('a snapshot sees nothing of what comes after it began', async () => {
    const name = aName();
    const executions = some(name, 3);
    await store.record(executions);
    await store.snapshot(async (snapshot) => {
      const before = await snapshot.lastChange(name);
      await store.record(some(name, 1));
      expect(await snapshot.lastChange(name)).toBe(before);
      const query = { until: undefined, wanted: 9 };
      expect((await snapshot.readTail(name, query)).executions.length).toBe(3);
    });
  });

  test('drops segments from a time on', async () => {
    const name = aName();
    await store.record(some(name, 9));
    await (await fold(name)).save();
    await store.dropSegments(name, start + 5);
    expect(await keptLengths(name)).toEqual([3, 6]);
  });

  test('lists names by bytes, in pages, of one account or all', async () => {
    const [one, two] = [aName(), aName()];
    const instruments = ['x:Z', 'x:a', 'x:\u{fb00}', 'x:\u{10437}'];
    const named = instruments.map((instrument) => ({ ...one, instrument }));
    await store.record([...named.toReversed(), two, ...named].map((name) => anExecution(name)));
    expect(await store.listNames(one.account, undefined, 9)).toEqual(named);
    expect(await store.listNames(one.account, named[1], 1)).toEqual(named.slice(2, 3));
    const [after] = named.slice(-1);
    expect(await store.listNames(undefined, after, 1)).toEqual([two]);
  });

  test('tells each change once, with the earliest execution and how many they are', async () => {
    const [one, two] = [aName(), aName()];
    const last = await store.lastLogPosition();
    const [first, ...rest] = some(one, 3);
    if (first === undefined) return;
    await store.record([...rest, anExecution(two), first]);
    await store.record([first]);
    const changes = await store.changesAfter(last, 9);
    const { executedTime, source, sourceId } = first;
    expect(changes.map(({ logPosition }) => logPosition)).toEqual([last + 1, last + 2]);
    expect(changes).toMatchObject([
      { ...one, earliest: { executedTime, source, sourceId }, executionCount: 3 },
      { ...two, executionCount: 1 },
    ]);
    expect(await store.changesAfter(last + 1, 1)).toEqual(changes.slice(1));
  });
});
