import { expect, test } from 'vitest';
import { parseDecimal } from '../../src/base/decimal.ts';
import type { OpenOrder } from '../../src/order/open-orders.ts';
import { OrderQueue } from '../../src/order/order-queue.ts';
import { anOrder } from '../support/order-builders.ts';
import { randomOf } from '../support/random-of.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);

/** Orders at few prices or many, each with its place in the order of acceptance. */
function openOrders(count: number, prices: number, random: () => number): OpenOrder[] {
  const order = anOrder();
  return Array.from({ length: count }, (_, sequence) => {
    const limitPrice = parseDecimal(String(1 + Math.floor(random() * prices)));
    return { order, limitPrice, sequence, isHalted: false };
  });
}

const inLine = (a: OpenOrder, b: OpenOrder) =>
  Number(a.limitPrice - b.limitPrice) || a.sequence - b.sequence;

test.each([1, 3, 100_000])('thousands at %i prices are in line, whoever leaves it', (prices) => {
  console.log(`order queue: SEED=${seed}`);
  const random = randomOf(seed + prices);
  const queue = new OrderQueue(inLine);
  const waiting = new Set<OpenOrder>();
  for (const order of openOrders(5_000, prices, random)) {
    queue.add(order);
    waiting.add(order);
    if (random() > 0.2) continue;
    const leaving = [...waiting][Math.floor(random() * waiting.size)] ?? order;
    queue.remove(leaving);
    waiting.delete(leaving);
    if (random() > 0.5) continue;
    // Back in its old place.
    queue.add(leaving);
    waiting.add(leaving);
  }
  const served: OpenOrder[] = [];
  while (queue.first !== undefined) {
    served.push(queue.first);
    queue.remove(queue.first);
  }
  expect(served).toEqual([...waiting].toSorted(inLine));
});

test('only who is in line leaves it', () => {
  const [one, two] = openOrders(2, 1, () => 0);
  if (one === undefined || two === undefined) throw new Error('Expected two orders');
  const queue = new OrderQueue(inLine);
  expect(() => queue.remove(one)).toThrow('Only who is in line');
  queue.add(one);
  expect(() => queue.remove(two)).toThrow('Only who is in line');
});
