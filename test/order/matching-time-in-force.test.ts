import { describe, expect, test } from 'vitest';
import type { OrderEvent } from '../../src/domain/order-event.ts';
import { MatchingEngine } from '../../src/order/matching-engine.ts';
import { aBookTicker, noon } from '../support/builders.ts';
import { anOrder } from '../support/order-builders.ts';
import { ToldEngine } from './told-engine.ts';

const second = 1_000_000;

describe('IOC and FOK', () => {
  test.each([
    ['IOC', '2', ['100', '5'], ['order-1 filled 2 @ 100']],
    ['IOC', '2', ['100', '1'], ['order-1 filled 1 @ 100', 'order-1 canceled notFilledAtOnce']],
    ['IOC', '2', ['99', '5'], ['order-1 canceled notFilledAtOnce']],
    ['IOC', '2', ['100', '0'], ['order-1 canceled noMarket']],
    ['FOK', '2', ['100', '2'], ['order-1 filled 2 @ 100']],
    ['FOK', '2', ['100', '1.99'], ['order-1 canceled notCovered']],
    ['FOK', '2', ['99', '5'], ['order-1 canceled notCovered']],
  ] as const)('%s of %s at 100 against a bid of %j', (timeInForce, quantity, bid, decided) => {
    const told = new ToldEngine();
    told.ticker({ bid });
    told.engine.add(anOrder({ timeInForce, quantity }), noon);
    expect(told.decided()).toEqual(decided);
    expect(told.engine.openCount).toBe(0);
  });

  test.each(['IOC', 'FOK'] as const)('%s are canceled where there is no market', (timeInForce) => {
    const told = new ToldEngine();
    told.engine.add(anOrder({ timeInForce }), noon);
    told.ticker({ bid: ['100', '5'] });
    told.engine.handleMarketLost('cut', noon);
    told.engine.add(anOrder({ orderId: 'order-2', timeInForce }), noon);
    expect(told.decided()).toEqual(['order-1 canceled noMarket', 'order-2 canceled noMarket']);
  });

  test('FOK counts what other orders have used', () => {
    const told = new ToldEngine();
    told.ticker({ bid: ['100', '3'] });
    told.engine.add(anOrder({ orderId: 'a' }), noon);
    told.engine.add(anOrder({ orderId: 'b', timeInForce: 'FOK', quantity: '3' }), noon);
    told.engine.add(anOrder({ orderId: 'c', timeInForce: 'FOK', quantity: '2' }), noon);
    expect(told.decided()).toEqual([
      'a filled 1 @ 100',
      'b canceled notCovered',
      'c filled 2 @ 100',
    ]);
  });
});

test.each([
  ['FOK', '2'],
  ['IOC', '0.5'],
] as const)(
  'what an %s order is not filled is canceled after it was accepted',
  (timeInForce, bid) => {
    const events: OrderEvent[] = [];
    const engine = new MatchingEngine({
      instrument: 'binance:BTCUSDT',
      decide: (event) => events.push(event),
      needsFreshTicker: () => {},
    });
    engine.startDeciding(noon);
    engine.handleTicker(aBookTicker({ bid: ['100', bid], receivedTime: noon }));
    const acceptedTime = noon + second;
    engine.add(anOrder({ timeInForce, quantity: '3', acceptedTime }), acceptedTime);
    expect(events.at(-1)).toMatchObject({ type: 'canceled', time: acceptedTime });
  },
);

describe('an expiry', () => {
  const expireTime = noon + 10 * second;
  const gtd = anOrder({ timeInForce: 'GTD', expireTime });

  test('has the time of the order, however late it is noticed', () => {
    const events: OrderEvent[] = [];
    const engine = new MatchingEngine({
      instrument: 'binance:BTCUSDT',
      decide: (event) => events.push(event),
      needsFreshTicker: () => {},
    });
    engine.startDeciding(noon);
    engine.add(gtd, noon);
    expect(engine.nextExpiry).toBe(expireTime);
    engine.expire(expireTime - 1);
    expect(events).toEqual([]);
    engine.expire(expireTime + 3600 * second);
    expect(events).toEqual([{ type: 'expired', orderId: 'order-1', version: 2, time: expireTime }]);
    expect(engine.nextExpiry).toBeUndefined();
  });

  test('comes before a fill by a ticker of the same moment', () => {
    const told = new ToldEngine();
    told.engine.add(gtd, noon);
    told.ticker({ bid: ['100', '1'], atMs: 10_000 });
    expect(told.decided()).toEqual(['order-1 expired']);
  });

  test('comes before a fill by a ticker of later, also when the clock was set back since', () => {
    const told = new ToldEngine();
    told.ticker({ bid: ['100', '1'], atMs: 10_000 });
    told.engine.add(gtd, noon);
    expect(told.decided()).toEqual(['order-1 expired']);
  });

  test('comes after a fill by an earlier one', () => {
    const told = new ToldEngine();
    told.engine.add(gtd, noon);
    told.ticker({ bid: ['100', '1'], atMs: 9_999.999 });
    expect(told.decided()).toEqual(['order-1 filled 1 @ 100']);
  });

  test('comes before a cancel of the same moment', () => {
    const told = new ToldEngine();
    told.engine.add(gtd, noon);
    expect(told.engine.cancel('order-1', expireTime)).toBe(false);
    expect(told.decided()).toEqual(['order-1 expired']);
  });

  test('that was due while nobody was there comes first, by time', () => {
    const told = new ToldEngine({ isDeciding: false });
    told.engine.add(anOrder({ orderId: 'rests', limitPrice: '90' }), noon);
    for (const [orderId, seconds] of [
      ['late', 3],
      ['early', 2],
      ['later', 60],
    ] as const) {
      const time = noon + seconds * second;
      told.engine.add(anOrder({ orderId, timeInForce: 'GTD', expireTime: time }), noon);
    }
    told.ticker({ bid: ['100', '9'], atMs: 10_000 });
    expect(told.decided()).toEqual([]);
    told.engine.startDeciding(noon + 10 * second);
    expect(told.decided()).toEqual([
      'early expired',
      'late expired',
      'rests filled 1 @ 100',
      'later filled 1 @ 100',
    ]);
  });
});
