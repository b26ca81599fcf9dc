import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { name, openPositions, someExecutions } from '../support/opened-positions.ts';
import { TwinPositions } from '../support/twin-positions.ts';

test('what is recorded is kept in segments in the background, also after an outage', async () => {
  let isAway = false;
  class Away extends TwinPositions {
    override changesAfter: TwinPositions['changesAfter'] = (...question) => {
      if (isAway) throw new Error('The database is away');
      return super.changesAfter(...question);
    };
  }
  const { store, clock, positions, kept } = openPositions(new Away(2));
  await using _ = positions.keepUp();
  await eventually(() => clock.pendingTimers === 1);
  await store.record(someExecutions(20));
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
  const { store, clock, positions, kept } = openPositions(new Poisoned(2));
  await using _ = positions.keepUp();
  await eventually(() => clock.pendingTimers === 1);
  const first = { ...name, instrument: 'external:1' };
  await store.record([
    ...someExecutions(2).map((execution) => ({ ...execution, ...first })),
    ...someExecutions(20),
  ]);
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
