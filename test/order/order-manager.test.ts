import { expect, test } from 'vitest';
import { formatDecimal, parseDecimal } from '../../src/base/decimal.ts';
import type { OrderEvent } from '../../src/domain/order-event.ts';
import type { Refusal } from '../../src/domain/refusal.ts';
import { noon } from '../support/builders.ts';
import { TwinWorld, aRequest, instrument } from '../support/twin-desk.ts';

/** What the log holds, in words. */
function logOf({ log }: TwinWorld): string[] {
  return log.events.map(({ event }) => inWords(event));
}

function inWords(event: OrderEvent): string {
  if (event.type === 'filled') {
    return `filled ${formatDecimal(event.quantity)} @ ${formatDecimal(event.price)}`;
  }
  return event.type === 'canceled' ? `canceled: ${event.reason}` : event.type;
}

const refused = (reason: Refusal['reason'], message?: RegExp) =>
  expect.objectContaining({ reason, ...(message && { message: expect.stringMatching(message) }) });

test('an order is answered when it is stored, enters the book then, and is filled', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  world.ticker({ bid: ['101', '0.4'] });
  world.log.faults.push('slow');
  let answered = false;
  const submission = manager.submit(aRequest()).finally(() => (answered = true));
  await world.settle();
  expect([answered, logOf(world)]).toEqual([false, []]);
  world.log.deliverLate();
  const { order, isAlreadyAccepted } = await submission;
  expect([order.status, order.filledQuantity, isAlreadyAccepted]).toEqual(['open', 0n, false]);
  await world.settle();
  expect(logOf(world)).toEqual(['accepted', 'filled 0.4 @ 101']);
  expect(world.log.executions).toHaveLength(1);
});

test('what comes while an append is under way shares the next one', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  let appends = 0;
  const append = world.log.append.bind(world.log);
  world.log.append = (batch) => {
    appends++;
    return append(batch);
  };
  await Promise.all(Array.from({ length: 64 }, () => manager.submit(aRequest())));
  expect([world.log.orders.size, appends]).toEqual([64, 1]);
});

test('an append whose answer is lost is answered by what is stored', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  world.log.faults.push('committedButFailed');
  const { order } = await manager.submit(aRequest());
  expect([...world.log.orders.keys()]).toEqual([order.orderId]);
});

test('an append that may yet happen is waited for or shut out, and then nothing is known', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  world.log.faults.push('late');
  await expect(manager.submit(aRequest())).rejects.toEqual(refused('unavailable', /not known/u));
  world.log.deliverLate();
  expect(logOf(world)).toEqual([]);
  await manager.submit(aRequest());
  expect(logOf(world)).toEqual(['accepted']);
});

test('what the log was too busy to take is sent again: nothing is lost, and no shard loaded again', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  world.ticker({ bid: ['100', '1'] });
  world.log.faults.push('busy', 'busy');
  const submission = manager.submit(aRequest());
  await world.pass(1_000);
  await submission;
  world.log.faults.push('busy');
  world.ticker({ bid: ['100', '1'] });
  await world.pass(1_000);
  expect(logOf(world)).toEqual(['accepted', 'filled 1 @ 100']);
  expect(manager.counters.reloads).toBe(0);
});

test('what a failed commit decided never happened, and is decided again', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  await manager.submit(aRequest({ quantity: '3' }));
  world.log.faults.push('lost');
  world.ticker({ bid: ['100', '1'] });
  await world.settle();
  expect(logOf(world)).toEqual(['accepted', 'filled 1 @ 100']);
  // The same bid once more is the same liquidity; another one is not.
  world.ticker({ bid: ['100', '1'] });
  world.ticker({ bid: ['100', '0.5'] });
  await world.settle();
  expect(logOf(world).slice(2)).toEqual(['filled 0.5 @ 100']);
});

test('a database outage stops fills, not tickers, and loses none', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const { order } = await manager.submit(aRequest({ quantity: '3' }));
  world.log.isAway = true;
  for (let bid = 100; bid < 104; bid++) {
    world.ticker({ bid: [String(bid), '1'] });
    await world.pass(1_000);
  }
  expect(logOf(world)).toEqual(['accepted']);
  expect(manager.waitingFor(order)).toEqual({ type: 'storage' });
  await expect(manager.submit(aRequest())).rejects.toEqual(refused('unavailable'));
  world.log.isAway = false;
  await world.pass(3_000);
  expect(logOf(world)).toEqual(['accepted', 'filled 1 @ 103']);
  world.ticker({ bid: ['104', '5'] });
  await world.settle();
  expect(logOf(world).slice(2)).toEqual(['filled 2 @ 104']);
});

test('nothing more is decided while a decision has not been stored for two seconds', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  await manager.submit(aRequest({ quantity: '10' }));
  world.log.faults.push('slow');
  world.ticker({ bid: ['100', '1'] });
  await world.settle();
  await world.pass(1_900);
  world.ticker({ bid: ['101', '1'] });
  await world.pass(200);
  world.ticker({ bid: ['102', '1'] });
  world.ticker({ bid: ['103', '1'] });
  await expect(manager.submit(aRequest())).rejects.toEqual(refused('unavailable'));
  world.log.deliverLate();
  await world.settle();
  // Of what was shown meanwhile, the last holds.
  expect(logOf(world).slice(1)).toEqual(['filled 1 @ 100', 'filled 1 @ 101', 'filled 1 @ 103']);
});

test('orders expire by the clock, with their own time, also when nobody ran then', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const gtd = { timeInForce: 'GTD' } as const;
  await manager.submit(aRequest(gtd), { timeout: 1_500_000 });
  await manager.submit(aRequest({ ...gtd, expireTime: noon + 3_600_000_000 }));
  await world.pass(2_000);
  const expired = () => world.log.events.filter(({ event }) => event.type === 'expired');
  expect(expired().map(({ event }) => event.time)).toEqual([noon + 1_500_000]);
  await manager[Symbol.asyncDispose]();
  world.clock.moveTo(noon + 3_700_000_000);
  world.ticker({ bid: ['200', '100'] });
  await world.openDesk();
  expect(expired().map(({ event }) => event.time)).toEqual([
    noon + 1_500_000,
    noon + 3_600_000_000,
  ]);
  expect(logOf(world)).not.toContainEqual(expect.stringContaining('filled'));
});

test('IOC and FOK are decided once, right after the acceptance', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  await manager.submit(aRequest({ timeInForce: 'IOC' }));
  await world.settle();
  world.ticker({ bid: ['100', '2'] });
  await manager.submit(aRequest({ timeInForce: 'FOK', quantity: '3' }));
  await manager.submit(aRequest({ timeInForce: 'IOC', quantity: '3' }));
  await world.settle();
  expect(logOf(world)).toEqual([
    'accepted',
    'canceled: noMarket',
    'accepted',
    'canceled: notCovered',
    'accepted',
    'filled 2 @ 100',
    'canceled: notFilledAtOnce',
  ]);
});

test('consumed liquidity is kept over a restart', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  await manager.submit(aRequest({ quantity: '5' }));
  world.ticker({ bid: ['100', '2'] });
  await world.settle();
  await manager[Symbol.asyncDispose]();
  await world.openDesk();
  world.ticker({ bid: ['100', '2'] });
  await world.settle();
  expect(logOf(world)).toEqual(['accepted', 'filled 2 @ 100']);
  world.ticker({ bid: ['100', '2.5'] });
  await world.settle();
  expect(logOf(world).slice(2)).toEqual(['filled 2.5 @ 100']);
});

test('a lost connection’s ticker fills nothing, and the next one does', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  world.ticker({ bid: ['100', '2'] });
  world.market.outage = 'The line was cut';
  world.desks.forEach((desk) => desk.manager.handleMarketChange());
  const { order } = await manager.submit(aRequest());
  await world.settle();
  expect(manager.waitingFor(order)).toEqual({ type: 'feedDown', reason: 'The line was cut' });
  world.market.outage = undefined;
  world.market.forget();
  manager.handleMarketChange();
  expect(manager.waitingFor(order)).toEqual({ type: 'noTicker' });
  world.ticker({ bid: ['100', '2'] });
  await world.settle();
  expect(logOf(world)).toEqual(['accepted', 'filled 1 @ 100']);
});

test('an order that meets an old ticker is filled by the one that the exchange is asked for', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  world.ticker({ bid: ['100', '2'] });
  await world.pass(6_000);
  const { order } = await manager.submit(aRequest());
  await manager.submit(aRequest());
  expect(manager.waitingFor(order)?.type).toBe('staleTicker');
  await world.settle();
  expect([world.market.asked, logOf(world)]).toEqual([1, ['accepted', 'accepted']]);
  // It could not tell; it is asked again.
  const known = world.market.tickerOf(instrument);
  world.market.answer = () =>
    known.type === 'good' ? { ...known.ticker, receivedTime: world.clock.now() } : undefined;
  await world.pass(6_000);
  expect(world.market.asked).toBe(2);
  expect(logOf(world).slice(2)).toEqual(['filled 1 @ 100', 'filled 1 @ 100']);
});

test('an answer that comes after the line was lost fills nothing', async () => {
  await using world = new TwinWorld();
  const { manager } = await world.openDesk();
  const ticker = world.ticker({ bid: ['100', '2'] });
  await world.pass(6_000);
  world.market.answer = () => {
    world.market.outage = 'The line was cut';
    manager.handleMarketChange();
    return { ...ticker, updateId: world.nextUpdateId(), receivedTime: world.clock.now() };
  };
  const { order } = await manager.submit(aRequest());
  await manager.submit(aRequest({ timeInForce: 'IOC' }));
  await world.settle();
  expect([world.market.asked, logOf(world)]).toEqual([
    1,
    ['accepted', 'accepted', 'canceled: noMarket'],
  ]);
  expect(manager.waitingFor(order)).toEqual({ type: 'feedDown', reason: 'The line was cut' });
});

test('after a load, a ticker from before the last fill makes nothing available again', async () => {
  await using world = new TwinWorld();
  const one = await world.openDesk();
  await one.manager.submit(aRequest({ quantity: '5' }));
  const old = world.ticker({ bid: ['99', '1'] });
  world.ticker({ bid: ['100', '1'] });
  await one[Symbol.asyncDispose]();
  // The next owner's own stream is behind.
  world.market.show(old);
  const two = await world.openDesk();
  two.manager.handleTicker(old);
  world.ticker({ bid: ['100', '1'] });
  await world.settle();
  expect(logOf(world)).toEqual(['accepted', 'filled 1 @ 100']);
  expect(world.market.asked).toBe(1);
});

test('an exchange that began its update ids anew is believed after a while', async () => {
  await using world = new TwinWorld();
  const one = await world.openDesk();
  await one.manager.submit(aRequest({ quantity: '5' }));
  const first = world.ticker({ bid: ['99', '1'] });
  world.ticker({ bid: ['100', '1'] });
  await one[Symbol.asyncDispose]();
  world.market.forget();
  const two = await world.openDesk();
  await world.pass(10_000);
  const receivedTime = world.clock.now();
  two.manager.handleTicker({ ...first, bidPrice: parseDecimal('101'), receivedTime });
  await world.settle();
  expect(logOf(world).slice(2)).toEqual(['filled 1 @ 101']);
});
