import { describe, expect, test } from 'vitest';
import { describeWaiting } from '../../src/order/waiting.ts';
import { noon } from '../support/builders.ts';
import { anOrder } from '../support/order-builders.ts';
import { ToldEngine } from './told-engine.ts';

const second = 1_000_000;

describe('what is displayed', () => {
  type Level = readonly [string, string];
  test.each<[what: string, then: readonly Level[], filled: string[]]>([
    ['a repeat offers nothing', [['100', '2']], []],
    ['a changed quantity offers all of it', [['100', '3']], ['order-1 filled 3 @ 100']],
    ['a smaller one, too', [['100', '1']], ['order-1 filled 1 @ 100']],
    ['a changed price offers all of it', [['101', '2']], ['order-1 filled 2 @ 101']],
    [
      'what went and came back offers all of it',
      [
        ['99', '1'],
        ['100', '2'],
      ],
      ['order-1 filled 2 @ 100'],
    ],
  ])('is used once: %s', (_, levels, filled) => {
    const told = new ToldEngine();
    told.engine.add(anOrder({ quantity: '10' }), noon);
    told.ticker({ bid: ['100', '2'] });
    told.decided();
    for (const bid of levels) told.ticker({ bid, ask: ['500', String(levels.length)] });
    expect(told.decided()).toEqual(filled);
  });

  test('is shared by all orders, also by those that come later', () => {
    const told = new ToldEngine();
    told.ticker({ bid: ['100', '2.5'] });
    for (const orderId of ['a', 'b', 'c']) told.engine.add(anOrder({ orderId }), noon);
    told.ticker({ bid: ['100', '2.5'] });
    expect(told.decided()).toEqual(['a filled 1 @ 100', 'b filled 1 @ 100', 'c filled 0.5 @ 100']);
  });

  test('on one side is not made available by a change of the other', () => {
    const told = new ToldEngine();
    told.engine.add(anOrder({ quantity: '5' }), noon);
    told.ticker({ bid: ['100', '2'], ask: ['110', '2'] });
    told.ticker({ bid: ['100', '2'], ask: ['109', '7'] });
    expect(told.decided()).toEqual(['order-1 filled 2 @ 100']);
  });

  test.each([
    ['the same', ['100', '2'], []],
    ['another quantity', ['100', '2.5'], ['order-1 filled 2.5 @ 100']],
    ['another price', ['100.5', '2'], ['order-1 filled 2 @ 100.5']],
  ] as const)('stays used over a gap when the first ticker shows %s', (_, bid, filled) => {
    const told = new ToldEngine();
    told.engine.add(anOrder({ quantity: '10' }), noon);
    told.ticker({ bid: ['100', '2'] });
    told.decided();
    told.engine.handleMarketLost('cut', noon);
    told.engine.handleMarketOpened();
    // The exchange may begin its ids anew.
    told.ticker({ bid, updateId: 0 });
    expect(told.decided()).toEqual(filled);
  });

  test.each([
    ['the same', ['100', '2'], ['order-1 filled 0.5 @ 100']],
    ['another quantity', ['100', '1.5'], ['order-1 filled 1.5 @ 100']],
  ] as const)('stays used over a restart when the first ticker shows %s', (_, bid, filled) => {
    const told = new ToldEngine({ isDeciding: false });
    const one = 10n ** 18n;
    told.engine.restore([
      {
        instrument: 'binance:BTCUSDT',
        side: 'sell',
        updateId: 7,
        price: 100n * one,
        displayedQuantity: 2n * one,
        consumed: (15n * one) / 10n,
      },
    ]);
    told.engine.add(anOrder({ quantity: '10' }), noon);
    told.engine.startDeciding(noon);
    told.ticker({ bid });
    expect(told.decided()).toEqual(filled);
  });
});

describe('a ticker', () => {
  test.each([
    ['crossed', { bid: ['101', '1'], ask: ['100', '1'] }, 'The book is crossed: bid 101, ask 100'],
    ['locked', { bid: ['100', '1'], ask: ['100', '1'] }, 'The book is crossed: bid 100, ask 100'],
    ['without a bid price', { bid: ['0', '1'], ask: ['110', '1'] }, 'Nobody bids'],
    ['without a bid quantity', { bid: ['105', '0'], ask: ['110', '1'] }, 'Nobody bids'],
  ] as const)('that is %s fills no sell', (_, book, words) => {
    const told = new ToldEngine();
    told.engine.add(anOrder({ limitPrice: '0.01' }), noon);
    told.ticker(book);
    expect(told.decided()).toEqual([]);
    const waiting = told.engine.waitsFor('order-1');
    expect(waiting && describeWaiting(waiting)).toBe(words);
  });

  test('without an ask fills sells, and no buy', () => {
    const told = new ToldEngine();
    told.engine.add(anOrder({ orderId: 'sell' }), noon);
    told.engine.add(anOrder({ orderId: 'buy', side: 'buy' }), noon);
    told.ticker({ bid: ['100', '1'], ask: ['0', '0'] });
    expect(told.decided()).toEqual(['sell filled 1 @ 100']);
    expect(told.engine.waitsFor('buy')).toEqual({ type: 'emptySide', side: 'buy' });
  });

  test.each([
    ['an older id', 4],
    ['the same id and another book', 5],
  ])('of %s is left', (_, updateId) => {
    const told = new ToldEngine();
    told.engine.add(anOrder(), noon);
    told.ticker({ bid: ['99', '1'], updateId: 5 });
    told.ticker({ bid: ['100', '1'], updateId });
    expect(told.decided()).toEqual([]);
  });

  test('is none to be filled by after the market was lost, until the next one', () => {
    const told = new ToldEngine();
    told.ticker({ bid: ['100', '5'] });
    told.engine.handleMarketLost('cut', noon);
    told.engine.add(anOrder(), noon);
    expect(told.decided()).toEqual([]);
    expect(told.engine.waitsFor('order-1')).toEqual({ type: 'feedDown', reason: 'cut' });
    told.engine.handleMarketOpened();
    expect(told.engine.waitsFor('order-1')).toEqual({ type: 'noTicker' });
    told.ticker({ bid: ['100', '4'] });
    expect(told.decided()).toEqual(['order-1 filled 1 @ 100']);
  });
});

describe('an old ticker', () => {
  const later = noon + 5 * second + 1;
  const gtc = anOrder({ quantity: '2' });
  const ioc = anOrder({ orderId: 'ioc', timeInForce: 'IOC' });

  function withOldTicker(): ToldEngine {
    const told = new ToldEngine();
    told.ticker({ bid: ['100', '2.5'], updateId: 5 });
    told.engine.add(gtc, later);
    told.engine.add(ioc, later);
    return told;
  }

  test('fills nothing, and a fresh one is asked for once', () => {
    const told = withOldTicker();
    expect([told.decided(), told.asked]).toEqual([[], 1]);
    expect(told.engine.waitsFor('order-1')).toEqual({ type: 'staleTicker', receivedTime: noon });
  });

  test('that holds still, by the same id, fills those who waited in their turn', () => {
    const told = withOldTicker();
    told.ticker({ bid: ['100', '2.5'], updateId: 5, atMs: 5_100 });
    expect(told.decided()).toEqual([
      'order-1 filled 2 @ 100',
      'ioc filled 0.5 @ 100',
      'ioc canceled notFilledAtOnce',
    ]);
  });

  test('of which there is no newer one lets go of those that do not wait, and is asked for again', () => {
    const told = withOldTicker();
    told.engine.noFreshTicker(later);
    expect(told.decided()).toEqual(['ioc canceled noMarket']);
    told.engine.add(anOrder({ orderId: 'another' }), later);
    expect([told.decided(), told.asked]).toEqual([[], 2]);
  });

  test('is as good as a new one for an order that it would not fill', () => {
    const told = new ToldEngine();
    told.ticker({ bid: ['99', '2'] });
    told.engine.add(gtc, later);
    told.engine.add(ioc, later);
    expect([told.decided(), told.asked]).toEqual([['ioc canceled notFilledAtOnce'], 0]);
  });

  test('of five seconds is not too old', () => {
    const told = new ToldEngine();
    told.ticker({ bid: ['100', '2'] });
    told.engine.add(gtc, noon + 5 * second);
    expect(told.decided()).toEqual(['order-1 filled 2 @ 100']);
  });
});
