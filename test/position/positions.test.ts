import { describe, expect, test } from 'vitest';
import { anExecution } from '../support/an-execution.ts';
import { minute, name, openPositions, someExecutions, start } from '../support/opened-positions.ts';
import { TwinPositions } from '../support/twin-positions.ts';

const unit = 10n ** 18n;

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
    const { store, reader } = openPositions();
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
  const { store, reader } = openPositions();
  expect(await reader.position(name)).toBeUndefined();
  expect(await reader.position(name, start)).toBeUndefined();
  await store.record(someExecutions(9));
  await reader.position(name);
  expect(await reader.position(name, start - 1)).toBeUndefined();
});

test('the latest position is as of its last execution, one at a moment as of that', async () => {
  const { store, reader } = openPositions();
  await store.record(someExecutions(2));
  expect(await reader.position(name)).toMatchObject({ asOf: start + minute });
  const position = await reader.position(name, start + minute - 1);
  expect(position).toMatchObject({ asOf: start + minute - 1, lastExecutedTime: start });
});

test('a few executions behind the segments are folded, more are kept first', async () => {
  const { store, reader, kept } = openPositions();
  await store.record(someExecutions(5));
  expect((await reader.position(name))?.executionCount).toBe(5);
  expect(await kept()).toBe(0);
  await store.record(someExecutions(20, 5));
  expect((await reader.position(name))?.executionCount).toBe(25);
  expect(await kept()).toBe(24);
});

test('only as much is folded and kept as the moment needs', async () => {
  const { store, reader, kept } = openPositions();
  await store.record(someExecutions(50));
  expect((await reader.position(name, start + 10 * minute))?.executionCount).toBe(11);
  expect(await kept()).toBe(10);
});

describe('a history', () => {
  const hour = 60 * minute;

  test('has high, low and volume of each bin, and carries the quantity on', async () => {
    const { store, reader } = openPositions();
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

  test('is right also where late executions keep undoing what is kept', async () => {
    class Undone extends TwinPositions {
      override readHistory: TwinPositions['readHistory'] = async (...question) => {
        await this.dropSegments(name, start);
        return await super.readHistory(...question);
      };
    }
    const { store, reader } = openPositions(new Undone(2));
    await store.record(someExecutions(30));
    const query = { bin: '1h', from: start, to: start + hour, limit: 9 } as const;
    const { bins } = await reader.history(name, query);
    expect(bins).toMatchObject([{ openQuantity: 0n, closeQuantity: 30n * unit }]);
  });

  test('comes in pages, and tells where the next one begins', async () => {
    const { store, reader } = openPositions();
    await store.record(someExecutions(30));
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
    const { reader } = openPositions();
    const { bins } = await reader.history(name, { bin: '1w', from: 0, to: 1, limit: 9 });
    expect(bins).toMatchObject([{ openTime: 0, closeQuantity: 0n }]);
    const empty = { bin: '1m', from: start, to: start, limit: 9 } as const;
    expect(await reader.history(name, empty)).toEqual({ bins: [], next: undefined });
  });

  test('has a thousand bins at most', async () => {
    const { reader } = openPositions();
    const query = { bin: '1s', from: start, to: start + hour, limit: 1e9 } as const;
    const { bins, next } = await reader.history(name, query);
    expect(bins).toHaveLength(1_000);
    expect(next).toBe(start + 1_000 * 1_000_000);
  });
});

test('positions of an account come by instrument, in pages, without those that begin later', async () => {
  const { store, reader } = openPositions();
  const executions = ['d', 'b', 'c', 'a'].flatMap((symbol, index) =>
    someExecutions(6, index).map((execution) => ({ ...execution, instrument: `x:${symbol}` })),
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
