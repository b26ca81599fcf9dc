import { describe, expect, test } from 'vitest';
import type { Order } from '../../src/domain/order.ts';
import type { OrderEvent } from '../../src/domain/order-event.ts';
import { MatchingEngine } from '../../src/order/matching-engine.ts';
import { describeWaiting } from '../../src/order/waiting.ts';
import type { WaitingFor } from '../../src/order/waiting.ts';
import { aBookTicker, noon } from '../support/builders.ts';
import { anOrder } from '../support/order-builders.ts';
import { ToldEngine } from './told-engine.ts';

const second = 1_000_000;

test('the worked example: 25 BNB at 42 or more over three tickers', () => {
  const instrument = 'binance:BNBUSDT';
  const decided: { event: OrderEvent; order: Order }[] = [];
  const engine = new MatchingEngine({
    instrument,
    decide: (event, order) => decided.push({ event, order }),
    needsFreshTicker: () => {},
  });
  engine.startDeciding(noon);
  engine.add(anOrder({ instrument, quantity: '25', limitPrice: '42' }), noon);
  const tickers = [
    { updateId: 400900217, bid: ['40.0', '10.0'], ask: ['41.0', '10'] },
    { updateId: 400900223, bid: ['42.0', '5.0'], ask: ['43.0', '10'] },
    { updateId: 400900235, bid: ['42.5', '30.0'], ask: ['43.0', '10'] },
  ] as const;
  for (const [index, ticker] of tickers.entries()) {
    engine.handleTicker(
      aBookTicker({ ...ticker, instrument, receivedTime: noon + index * second }),
    );
  }
  const one = 10n ** 18n;
  expect(decided.map(({ event }) => event)).toEqual([
    {
      type: 'filled',
      orderId: 'order-1',
      version: 2,
      time: noon + second,
      price: 42n * one,
      quantity: 5n * one,
      updateId: 400900223,
      displayedQuantity: 5n * one,
      consumedAfter: 5n * one,
    },
    {
      type: 'filled',
      orderId: 'order-1',
      version: 3,
      time: noon + 2 * second,
      price: (425n * one) / 10n,
      quantity: 20n * one,
      updateId: 400900235,
      displayedQuantity: 30n * one,
      consumedAfter: 20n * one,
    },
  ]);
  expect(decided.at(-1)?.order).toMatchObject({
    status: 'filled',
    filledQuantity: 25n * one,
    filledNotional: 1060n * one * one,
  });
  expect([engine.openCount, engine.get('order-1')]).toEqual([0, undefined]);
});

describe('who is filled, and from what', () => {
  test('a buy is filled from the ask at its limit or below, at the price that is displayed', () => {
    const told = new ToldEngine();
    told.engine.add(anOrder({ side: 'buy', quantity: '3', limitPrice: '100' }), noon);
    told.ticker({ bid: ['90', '9'], ask: ['100.01', '9'] });
    told.ticker({ bid: ['90', '9'], ask: ['100', '1'] });
    told.ticker({ bid: ['90', '9'], ask: ['95.5', '9'] });
    expect(told.decided()).toEqual(['order-1 filled 1 @ 100', 'order-1 filled 2 @ 95.5']);
  });

  test('an order that enters is filled by the ticker that is there', () => {
    const told = new ToldEngine();
    told.ticker({ bid: ['101', '5'] });
    told.engine.add(anOrder(), noon);
    expect(told.decided()).toEqual(['order-1 filled 1 @ 101']);
  });

  test('the better limit comes first, then the earlier acceptance', () => {
    const told = new ToldEngine();
    const limits = ['100', '99', '101', '99', '102'];
    for (const [index, limitPrice] of limits.entries()) {
      told.engine.add(anOrder({ orderId: `sell ${limitPrice} ${index}`, limitPrice }), noon);
      told.engine.add(anOrder({ orderId: `buy ${index}`, side: 'buy', limitPrice: '50' }), noon);
    }
    told.ticker({ bid: ['101', '3.5'] });
    expect(told.decided()).toEqual([
      'sell 99 1 filled 1 @ 101',
      'sell 99 3 filled 1 @ 101',
      'sell 100 0 filled 1 @ 101',
      'sell 101 2 filled 0.5 @ 101',
    ]);
    told.ticker({ ask: ['50', '2.5'] });
    expect(told.decided()).toEqual([
      'buy 0 filled 1 @ 50',
      'buy 1 filled 1 @ 50',
      'buy 2 filled 0.5 @ 50',
    ]);
  });

  test('our own sells and buys do not trade with each other', () => {
    const told = new ToldEngine();
    told.ticker({ bid: ['90', '1'], ask: ['110', '1'] });
    told.engine.add(anOrder({ side: 'sell', limitPrice: '95' }), noon);
    told.engine.add(anOrder({ orderId: 'order-2', side: 'buy', limitPrice: '105' }), noon);
    expect(told.decided()).toEqual([]);
  });
});

describe('a cancel', () => {
  test('ends an order once', () => {
    const told = new ToldEngine();
    told.engine.add(anOrder(), noon);
    expect(told.engine.cancel('order-1', noon)).toBe(true);
    expect(told.engine.cancel('order-1', noon)).toBe(false);
    told.ticker({ bid: ['100', '1'] });
    expect(told.decided()).toEqual(['order-1 canceled requested']);
  });

  test('leaves the others in line', () => {
    const told = new ToldEngine();
    for (const orderId of ['a', 'b', 'c', 'd']) told.engine.add(anOrder({ orderId }), noon);
    told.engine.cancel('b', noon);
    told.engine.cancel('d', noon);
    told.decided();
    told.ticker({ bid: ['100', '9'] });
    expect(told.decided()).toEqual(['a filled 1 @ 100', 'c filled 1 @ 100']);
  });
});

describe('a halt', () => {
  const halted = { revision: 1, everything: undefined, accounts: new Map([['mad', '']]) };
  const none = { revision: 2, everything: undefined, accounts: new Map<string, string>() };

  function withTwoAccounts(): ToldEngine {
    const told = new ToldEngine();
    told.engine.add(anOrder({ orderId: 'mad', account: 'mad' }), noon);
    told.engine.add(anOrder({ orderId: 'other', account: 'other' }), noon);
    return told;
  }

  test('of an account lets its orders wait, and gives them their place back', () => {
    const told = withTwoAccounts();
    told.engine.halt(halted, noon);
    told.ticker({ bid: ['100', '0.5'] });
    expect(told.decided()).toEqual(['other filled 0.5 @ 100']);
    expect(told.engine.waitsFor('mad')).toEqual({ type: 'halted', isEverything: false });
    told.engine.halt(none, noon);
    told.ticker({ bid: ['100', '1.25'] });
    expect(told.decided()).toEqual(['mad filled 1 @ 100', 'other filled 0.25 @ 100']);
  });

  test('that ends fills at once from what is left', () => {
    const told = withTwoAccounts();
    told.engine.halt(halted, noon);
    told.ticker({ bid: ['100', '1.25'] });
    told.decided();
    told.engine.halt(none, noon);
    expect(told.decided()).toEqual(['mad filled 0.25 @ 100']);
  });

  test('of everything fills nobody, and expiries and cancels go on', () => {
    const told = withTwoAccounts();
    const expireTime = noon + second;
    told.engine.add(anOrder({ orderId: 'gtd', timeInForce: 'GTD', expireTime }), noon);
    told.engine.halt({ ...none, everything: '' }, noon);
    told.ticker({ bid: ['100', '5'], atMs: 1000 });
    told.engine.cancel('mad', noon + second);
    expect(told.decided()).toEqual(['gtd expired', 'mad canceled requested']);
    expect(told.engine.waitsFor('other')).toEqual({ type: 'halted', isEverything: true });
  });

  test('takes orders in, and cancels those that cannot wait', () => {
    const told = new ToldEngine();
    told.engine.halt(halted, noon);
    told.ticker({ bid: ['100', '5'] });
    told.engine.add(anOrder({ orderId: 'gtc', account: 'mad' }), noon);
    told.engine.add(anOrder({ orderId: 'ioc', account: 'mad', timeInForce: 'IOC' }), noon);
    expect(told.decided()).toEqual(['ioc canceled noMarket']);
  });
});

test('while nothing is decided market data is taken in, and what is due comes later', () => {
  const told = new ToldEngine();
  told.engine.add(anOrder({ quantity: '10' }), noon);
  told.ticker({ bid: ['100', '2'] });
  told.decided();
  told.engine.stopDeciding();
  told.ticker({ bid: ['101', '1'] });
  told.engine.add(anOrder({ orderId: 'ioc', timeInForce: 'IOC', limitPrice: '99' }), noon);
  expect(told.engine.waitsFor('order-1')).toEqual({ type: 'storage' });
  told.ticker({ bid: ['100', '2'] });
  expect(told.decided()).toEqual([]);
  told.engine.startDeciding(noon);
  // The level went and came back: it may be used again.
  expect(told.decided()).toEqual(['ioc filled 1 @ 100', 'order-1 filled 1 @ 100']);
});

test('whoever takes the decisions can stop them in the middle, and nothing is lost by it', () => {
  const decided: string[] = [];
  const engine = new MatchingEngine({
    instrument: 'binance:BTCUSDT',
    decide: ({ orderId, type }) => {
      decided.push(`${orderId} ${type}`);
      if (decided.length % 2 === 0) engine.stopDeciding();
    },
    needsFreshTicker: () => {},
  });
  const terms = { timeInForce: 'GTD', expireTime: noon + second } as const;
  for (const orderId of ['a', 'b', 'c']) engine.add(anOrder({ orderId, ...terms }), noon);
  for (const orderId of ['d', 'e']) engine.add(anOrder({ orderId, timeInForce: 'IOC' }), noon);
  for (const orderId of ['f', 'g']) engine.add(anOrder({ orderId }), noon);
  engine.handleTicker(aBookTicker({ bid: ['100', '2.5'], receivedTime: noon + second }));
  const rounds: string[][] = [];
  for (let round = 0; round < 5; round++) {
    engine.startDeciding(noon + second);
    rounds.push(decided.splice(0));
  }
  expect(rounds).toEqual([
    ['a expired', 'b expired'],
    ['c expired', 'd filled'],
    ['e filled', 'f filled'],
    [],
    [],
  ]);
});

test.each<[WaitingFor, words: string]>([
  [{ type: 'storage' }, 'Fills wait until they can be stored again'],
  [{ type: 'halted', isEverything: true }, 'Trading is halted'],
  [{ type: 'halted', isEverything: false }, 'Trading is halted for this account'],
  [
    { type: 'feedDown', reason: 'The exchange ended it' },
    'The feed is down: The exchange ended it',
  ],
  [{ type: 'noTicker' }, 'No book ticker has come yet'],
  [{ type: 'emptySide', side: 'buy' }, 'Nobody asks'],
  [
    { type: 'staleTicker', receivedTime: noon },
    'The last book ticker is too old, and a new one is asked for',
  ],
])('what an order waits for has words: %j', (waiting, words) => {
  expect(describeWaiting(waiting)).toBe(words);
});

test.each([
  [{ bid: ['41', '1'] }, 'sell', 'The best bid is 41, below the limit of 42'],
  [{ ask: ['43', '1'] }, 'buy', 'The best ask is 43, above the limit of 42'],
  [{ bid: ['42', '2'] }, 'sell', 'All of the 2 displayed at 42 is used'],
] as const)('an open order says what it waits for: %j', (book, side, words) => {
  const told = new ToldEngine();
  told.engine.add(anOrder({ side, quantity: '5', limitPrice: '42' }), noon);
  told.ticker(book);
  const waiting = told.engine.waitsFor('order-1');
  expect(waiting && describeWaiting(waiting)).toBe(words);
  expect(told.engine.waitsFor('order-2')).toBeUndefined();
});
