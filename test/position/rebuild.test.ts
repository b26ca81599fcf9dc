import { describe, expect, test } from 'vitest';
import { anExecution } from '../support/an-execution.ts';
import { minute, name, openPositions, someExecutions, start } from '../support/opened-positions.ts';
import { TwinPositions } from '../support/twin-positions.ts';

describe('a rebuild', () => {
  test('makes everything anew and tells how far it is', async () => {
    const { store, positions, kept } = openPositions();
    const other = { account: 'other', instrument: 'external:1' };
    await store.record([...someExecutions(10), anExecution(other)]);
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
    const { store, positions } = openPositions();
    const other = { account: 'default', instrument: 'external:1' };
    await store.record([...someExecutions(10), anExecution(other)]);
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
    const { store, positions } = openPositions(new Endless(2));
    await store.record(someExecutions(10));
    expect(await positions.rebuild({ ...name, since: 0 })).toMatchObject({ positionCount: 1 });
    const other = { ...name, instrument: 'external:9', since: 0 };
    expect(await positions.rebuild(other)).toMatchObject({ positionCount: 0 });
  });

  test('can be given up', async () => {
    const { store, positions } = openPositions();
    const other = { account: 'other', instrument: 'external:1' };
    await store.record([...someExecutions(10), anExecution(other)]);
    const given = new AbortController();
    const rebuild = positions.rebuild({ since: 0 }, () => given.abort(), given.signal);
    await expect(rebuild).rejects.toMatchObject({ name: 'AbortError' });
  });
});
