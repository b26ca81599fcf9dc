import { expect, test } from 'vitest';
import type { OrderRequest } from '../../src/domain/order.ts';
import type { Micros } from '../../src/base/clock.ts';
import { TwinWorld, aRequest } from '../support/twin-desk.ts';
import type { TwinDesk } from '../support/twin-desk.ts';

const count = 5_000;
/** What may be decided and not stored. */
const most = 4_096;

async function submitAll(
  { manager }: TwinDesk,
  request: OrderRequest,
  timeout?: Micros,
): Promise<void> {
  for (let sent = 0; sent < count; sent += 1_000) {
    await Promise.all(Array.from({ length: 1_000 }, () => manager.submit(request, { timeout })));
  }
}

/** What is decided of the orders at once, and what is stored of them at last. */
async function whatFollows(
  world: TwinWorld,
  { manager }: TwinDesk,
  happen: () => void,
): Promise<unknown> {
  happen();
  const { uncommitted } = manager.state();
  await world.settle();
  const statuses = [...world.log.orders.values()].map(({ status }) => status);
  const ended = statuses.filter((status) => status !== 'open').length;
  return { uncommitted, ended, events: world.log.events.length, open: manager.state().openOrders };
}

const inTwoCommits = { uncommitted: most, ended: count, events: 2 * count, open: 0 };

test('of thousands of orders that one ticker would fill no more are decided than may be uncommitted', async () => {
  await using world = new TwinWorld();
  const desk = await world.openDesk({ maximumOpenOrders: count });
  await submitAll(desk, aRequest());
  expect(await whatFollows(world, desk, () => world.ticker({ bid: ['100', '10000'] }))).toEqual(
    inTwoCommits,
  );
});

test('of thousands of orders that expire at once, too', async () => {
  await using world = new TwinWorld();
  const desk = await world.openDesk({ maximumOpenOrders: count });
  await submitAll(desk, aRequest({ timeInForce: 'GTD' }), 1_000_000);
  expect(
    await whatFollows(world, desk, () => world.clock.moveTo(world.clock.now() + 1_000_000)),
  ).toEqual(inTwoCommits);
});

test('and of those that were due before a server began', async () => {
  await using world = new TwinWorld();
  const one = await world.openDesk({ maximumOpenOrders: count });
  await submitAll(one, aRequest());
  await one[Symbol.asyncDispose]();
  world.ticker({ bid: ['100', '10000'] });
  let largest = 0;
  const append = world.log.append.bind(world.log);
  world.log.append = (batch) => {
    largest = Math.max(largest, world.desks[1]?.manager.state().uncommitted ?? 0);
    return append(batch);
  };
  const two = await world.openDesk({ maximumOpenOrders: count });
  expect([largest, two.manager.state().openOrders]).toEqual([most, 0]);
});
