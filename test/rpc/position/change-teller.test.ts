import { beforeEach, expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/logger.ts';
import type { Position } from '../../../src/domain/position.ts';
import { emptyPosition } from '../../../src/domain/position.ts';
import { ChangeTeller } from '../../../src/rpc/position/change-teller.ts';
import type { LogEntry } from '../../../src/store/order/log-reader.ts';
import { TwinClock } from '../../support/twin-clock.ts';

let clock: TwinClock;
let told: string[];
/** Reads that have not been answered, by instrument. */
let asked: Map<string, PromiseWithResolvers<Position>>;
let teller: ChangeTeller;
beforeEach(() => {
  clock = new TwinClock();
  told = [];
  asked = new Map();
  teller = new ChangeTeller({
    clock,
    logger: silentLogger,
    read: ({ instrument }) => {
      const answer = Promise.withResolvers<Position>();
      asked.set(instrument, answer);
      return answer.promise;
    },
    tell: ({ instrument }, { position }) =>
      told.push(`${instrument} of ${position}, through ${teller.toldThrough}`),
  });
  teller.startAfter(10);
});

/** Settles what was answered. */
const turn = () => clock.advance(0);

function changed(position: number, instrument: string): LogEntry {
  const earliest = { executedTime: 0, source: 'rpc', sourceId: 'a' };
  const name = { account: 'default', instrument };
  return { type: 'position', position, ...name, earliest, executionCount: 1 };
}

async function answer(instrument: string, error?: Error): Promise<void> {
  const read = asked.get(instrument);
  if (read === undefined) throw new Error(`Expected ${instrument} to be asked for`);
  asked.delete(instrument);
  if (error !== undefined) read.reject(error);
  else {
    const name = { account: 'default', instrument } as const;
    read.resolve({ ...emptyPosition, ...name, asOf: 0, lastExecutedTime: 0 });
  }
  await turn();
}

test('changes are told in their order, each with the place up to which all are told', async () => {
  teller.take([changed(11, 'a'), changed(12, 'b'), changed(14, 'c')]);
  for (const instrument of ['a', 'b', 'c']) await answer(instrument);
  expect(told).toEqual(['a of 11, through 11', 'b of 12, through 13', 'c of 14, through 14']);
});

test('one that takes long holds up no other, and no cursor goes past it', async () => {
  teller.take([changed(11, 'slow'), changed(12, 'b'), changed(13, 'c')]);
  expect([...asked.keys()]).toEqual(['slow']);
  await clock.advance(250);
  await answer('b');
  await answer('c');
  expect(told).toEqual(['b of 12, through 10', 'c of 13, through 10']);
  await answer('slow');
  expect(told.at(-1)).toBe('slow of 11, through 13');
});

test('at most four are read at once, however long they take', async () => {
  teller.take(['a', 'b', 'c', 'd', 'e'].map((name, index) => changed(11 + index, name)));
  await clock.advance(10_000, 250);
  expect([...asked.keys()]).toEqual(['a', 'b', 'c', 'd']);
  await answer('b');
  expect([...asked.keys()]).toEqual(['a', 'c', 'd', 'e']);
});

test('one that cannot be read is tried again and again, and holds up no other', async () => {
  teller.take([changed(11, 'broken'), changed(12, 'b')]);
  await answer('broken', new Error('no'));
  await answer('b');
  expect([told, teller.toldThrough]).toEqual([['b of 12, through 10'], 10]);
  for (let times = 0; times < 5; times++) {
    await clock.advance(5_000);
    await answer('broken', new Error('no'));
  }
  await clock.advance(5_000);
  await answer('broken');
  expect(told.at(-1)).toBe('broken of 11, through 12');
});

test('what changes while it is read is read again', async () => {
  teller.take([changed(11, 'a')]);
  teller.take([changed(12, 'a')]);
  await answer('a');
  await answer('a');
  expect(told).toEqual(['a of 11, through 11', 'a of 12, through 12']);
});

test('after the end nothing is read, told or tried again', async () => {
  teller.take([changed(11, 'a'), changed(12, 'b')]);
  teller[Symbol.dispose]();
  await answer('a');
  await clock.advance(10_000);
  expect([told, [...asked.keys()]]).toEqual([[], []]);
});
