import { expect, test } from 'vitest';
import { OrderEnds } from '../../../src/rpc/order/order-ends.ts';
import type { DecidedEvent } from '../../../src/order/order-log.ts';
import type { LogEntry } from '../../../src/store/order/log-reader.ts';
import { noon } from '../../support/builders.ts';
import { DecidedOrder } from '../../support/decided-order.ts';
import { TwinClock } from '../../support/twin-clock.ts';

/** A log that tells what it is told, and who waits for the end of `order`. */
function aLog() {
  const clock = new TwinClock(noon);
  const order = new DecidedOrder();
  let tell = (_entries: readonly LogEntry[]) => {};
  const ends = new OrderEnds(
    {
      subscribe: (listener) => {
        tell = listener;
        return { [Symbol.dispose]: () => {} };
      },
    },
    clock,
  );
  const leaving = new AbortController();
  const wait = (orderId = order.orderId) => {
    let isOver = false;
    const options = { patienceMs: 1_000, signal: leaving.signal };
    void ends.wait(orderId, options).then(() => (isOver = true));
    return async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return isOver;
    };
  };
  const happens = (...events: readonly DecidedEvent[]) =>
    tell(events.map((each, index) => ({ type: 'order', position: index + 1, ...each })));
  return { ends, clock, order, leaving, wait, happens };
}

test('who waits for an order is told of its end, and of nothing else', async () => {
  const { order, wait, happens } = aLog();
  const [isOver, isSeen, isOtherOver] = [wait(), wait(), wait('another order')];
  happens(order.accepted, order.split({ quantity: '4' }));
  expect(await isOver()).toBe(false);
  happens(order.cancel());
  expect([await isOver(), await isSeen(), await isOtherOver()]).toEqual([true, true, false]);
});

test.each<[string, (log: ReturnType<typeof aLog>) => unknown]>([
  ['patience is over', ({ clock }) => clock.advance(1_000)],
  ['caller leaves', ({ leaving }) => leaving.abort()],
  ['server stops', ({ ends }) => ends[Symbol.dispose]()],
])('nobody waits on when the %s', async (_name, end) => {
  const log = aLog();
  const isOver = log.wait();
  expect(await isOver()).toBe(false);
  await end(log);
  expect(await isOver()).toBe(true);
});
