import { expect, test } from 'vitest';
import { TwinWorld, aRequest } from '../support/twin-desk.ts';

const refused = (message: string) =>
  expect.objectContaining({ reason: 'failedPrecondition', message });

function statusesOf({ log }: TwinWorld): string[] {
  return [...log.orders.values()].map(({ account, status }) => `${account} ${status}`);
}

test('a halt and its end are taken over within a second, and no shard is loaded again', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  await manager.submit(aRequest({ account: 'halted' }));
  await manager.submit(aRequest({ account: 'free' }));
  world.log.halt('halted', 'under review');
  await world.pass(1_250);
  await expect(manager.submit(aRequest({ account: 'halted' }))).rejects.toEqual(
    refused('Trading is halted for account halted: no order is accepted (under review)'),
  );
  world.ticker({ bid: ['100', '10'] });
  await world.settle();
  expect(statusesOf(world)).toEqual(['halted open', 'free filled']);
  world.log.resume('halted');
  await world.pass(1_250);
  expect(statusesOf(world)).toEqual(['halted filled', 'free filled']);
  expect(manager.counters.reloads).toBe(0);
});

test.each([
  ['', 'Trading is halted: no order is accepted'],
  ['the exchange is mad', 'Trading is halted: no order is accepted (the exchange is mad)'],
])('while everything is halted for %j everybody is told', async (reason, message) => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  world.log.halt(undefined, reason);
  await world.pass(1_250);
  await expect(manager.submit(aRequest())).rejects.toEqual(refused(message));
});

test('what is under way when a halt comes is stored as it was decided, or never happened', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  await manager.submit(aRequest({ account: 'halted', quantity: '2' }));
  await manager.submit(aRequest({ account: 'free' }));
  world.log.faults.push('slow');
  world.ticker({ bid: ['100', '1'] });
  await world.settle();
  // It waits behind the fill, and is not of who is halted.
  world.ticker({ bid: ['100', '1.5'] });
  world.log.halt('halted');
  await world.pass(1_250);
  world.log.deliverLate();
  await world.settle();
  expect(statusesOf(world)).toEqual(['halted open', 'free filled']);
  expect(world.log.breaches).toEqual([]);
});

test.each([
  ['free', 'free filled', 0],
  ['halted', 'halted open', 1],
])('what waits to be sent when a halt comes: a fill of %s', async (account, status, reloads) => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  await manager.submit(aRequest({ account }));
  // Just before the leases are renewed, and with them the halts.
  await world.pass(990);
  world.log.faults.push('busy');
  world.ticker({ bid: ['100', '1'] });
  await world.settle();
  world.log.halt('halted');
  await world.pass(20);
  expect(manager.state().uncommitted).toBe(1);
  await world.pass(1_000);
  expect(statusesOf(world)).toEqual([status]);
  expect([world.log.breaches, manager.counters.reloads]).toEqual([[], reloads]);
});

test('while halts cannot be read nothing is done under the old ones', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const readHalts = world.log.readHalts.bind(world.log);
  world.log.readHalts = () => Promise.reject(new Error('The connection was lost'));
  world.log.halt('halted');
  await world.pass(1_250);
  await expect(manager.submit(aRequest({ account: 'halted' }))).rejects.toMatchObject({
    reason: 'failedPrecondition',
  });
  world.log.readHalts = readHalts;
  await world.pass(1_000);
  await manager.submit(aRequest());
});
