import { expect, test } from 'vitest';
import { TwinClock } from '../support/twin-clock.ts';
import { noon } from '../support/builders.ts';
import { TwinWorld, aRequest, instrument } from '../support/twin-desk.ts';

const unavailable = expect.objectContaining({ reason: 'unavailable' });

/** Instruments of many shards. */
const instruments = Array.from({ length: 100 }, (_, index) => `binance:C${index}USDT`);

test('a lone server has all shards, and two have half of them each', async () => {
  await using world = new TwinWorld();
  const one = await world.openDesk();
  const owners = (desk: typeof one) =>
    Map.groupBy(instruments, (name) => desk.manager.ownerOf(name).type);
  expect([...owners(one).keys()]).toEqual(['here']);
  const two = await world.openDesk();
  await world.pass(3_000);
  for (const desk of [one, two]) {
    expect([...owners(desk).keys()].toSorted()).toEqual(['elsewhere', 'here']);
  }
  const here = owners(one).get('here') ?? [];
  expect(here.length).toBeGreaterThan(20);
  expect(owners(two).get('elsewhere')).toEqual(here);
  expect(two.manager.ownerOf(here[0] ?? '')).toEqual({ type: 'elsewhere', url: 'http://server-1' });
});

test('before it has its shards a server knows of nobody', async () => {
  await using world = new TwinWorld();
  world.log.isAway = true;
  const { manager } = await world.openDesk();
  expect(manager.ownerOf(instrument)).toEqual({ type: 'nobody' });
  await expect(manager.submit(aRequest())).rejects.toEqual(unavailable);
});

test('a server that stops stores what it has decided, and the next one takes over at once', async () => {
  await using world = new TwinWorld();
  const one = await world.openDesk();
  const { order } = await one.manager.submit(aRequest({ quantity: '2' }));
  world.ticker({ bid: ['100', '1'] });
  await one[Symbol.asyncDispose]();
  expect(world.log.orders.get(order.orderId)?.status).toBe('partiallyFilled');
  await expect(one.manager.submit(aRequest())).rejects.toEqual(unavailable);
  const two = await world.openDesk();
  expect(two.manager.ownerOf(instrument)).toEqual({ type: 'here' });
  world.ticker({ bid: ['101', '1'] });
  await world.settle();
  expect(world.log.orders.get(order.orderId)?.status).toBe('filled');
});

test('the shards of a server that is gone are taken over when its leases have ended', async () => {
  await using world = new TwinWorld();
  const one = await world.openDesk();
  const { order } = await one.manager.submit(aRequest());
  one.isCutOff = true;
  const two = await world.openDesk();
  await world.pass(3_000);
  expect(two.manager.ownerOf(instrument).type).toBe('elsewhere');
  world.ticker({ bid: ['100', '1'] });
  await world.pass(3_500);
  expect(two.manager.ownerOf(instrument)).toEqual({ type: 'here' });
  expect(world.log.orders.get(order.orderId)?.status).toBe('filled');
});

test('a frozen owner that wakes decides nothing, and does no harm', async () => {
  await using world = new TwinWorld();
  const frozenClock = new TwinClock(noon);
  const one = await world.openDesk({ clock: frozenClock });
  const { order } = await one.manager.submit(aRequest({ quantity: '2' }));
  // Its clock stands: it renews nothing, and believes that its leases last.
  const two = await world.openDesk();
  await world.pass(7_000);
  expect(two.manager.ownerOf(instrument)).toEqual({ type: 'here' });
  world.ticker({ bid: ['100', '1'] });
  await world.settle();
  await expect(one.manager.submit(aRequest())).rejects.toEqual(unavailable);
  const fills = world.log.events.filter(({ event }) => event.type === 'filled');
  expect(fills).toHaveLength(1);
  expect(world.log.orders.get(order.orderId)?.filledQuantity).toBe(fills[0]?.order.filledQuantity);
});

test('canceling all is refused where a shard was let go meanwhile', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const { order } = await manager.submit(aRequest());
  const cancelAllDuringChange = async (change: () => Promise<unknown>, name?: string) => {
    world.log.faults.push('slow');
    const answer = manager.cancelAll('default', name).catch((error: unknown) => error);
    await world.settle();
    await change();
    world.log.deliverLate();
    return await answer;
  };
  // Another one takes the shards from 8 on; that of the order, which is 0, stays.
  const answer = await cancelAllDuringChange(async () => {
    await world.openDesk();
    await world.pass(1_500);
  });
  expect(manager.ownerOf(instrument)).toEqual({ type: 'here' });
  expect(answer).toEqual(unavailable);
  expect(world.log.orders.get(order.orderId)?.status).toBe('canceled');
  // Asked for what is here it is done, whatever becomes of the others.
  const { order: next } = await manager.submit(aRequest());
  const canceled = await cancelAllDuringChange(() => world.openDesk(), instrument);
  expect(canceled).toMatchObject([{ orderId: next.orderId }]);
});

test('nothing is decided from a second before a lease ends that could not be renewed', async () => {
  await using world = new TwinWorld();
  const desk = await world.openDesk();
  await desk.manager.submit(aRequest({ quantity: '5' }));
  const fills = () => world.log.events.filter(({ event }) => event.type === 'filled').length;
  desk.isWithoutLeases = true;
  await world.pass(3_900);
  world.ticker({ bid: ['100', '1'] });
  await world.settle();
  expect(fills()).toBe(1);
  await world.pass(200);
  world.ticker({ bid: ['101', '1'] });
  await world.settle();
  expect(fills()).toBe(1);
  await expect(desk.manager.submit(aRequest())).rejects.toEqual(unavailable);
  // Nobody has taken it over: what the book shows by now is taken up.
  desk.isWithoutLeases = false;
  await world.pass(1_000);
  expect(fills()).toBe(2);
});

test.each([
  ['ahead of', 1_500],
  ['behind', -1_500],
])(
  'a server whose clock is %s the database’s takes no shard, and says so',
  async (way, offsetMs) => {
    await using world = new TwinWorld();
    const clock = new TwinClock(noon + offsetMs * 1000);
    const { manager } = await world.openDesk({ clock });
    const reason = `The clock is off by 1500 ms, ${way} the database’s: no orders are decided here`;
    expect(manager.ownerOf(instrument)).toEqual({ type: 'nobody', reason });
    expect(manager.trouble).toBe(reason);
    // A right one takes them all.
    const right = await world.openDesk();
    expect(right.manager.ownerOf(instrument)).toEqual({ type: 'here' });
    expect(instruments.every((name) => right.manager.ownerOf(name).type === 'here')).toBe(true);
  },
);

test('a server whose clock was set takes shards again', async () => {
  await using world = new TwinWorld();
  const clock = new TwinClock(noon + 60_000_000);
  const { manager } = await world.openDesk({ clock });
  expect(manager.trouble).toMatch(/^The clock is off by 60000 ms, ahead/u);
  world.clock.moveTo(clock.now());
  clock.moveTo(clock.now() + 1_000_000);
  await world.settle();
  expect([manager.trouble, manager.ownerOf(instrument)]).toEqual([undefined, { type: 'here' }]);
});
