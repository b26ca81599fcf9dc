import { expect, test } from 'vitest';
import { parseDecimal } from '../../src/base/decimal.ts';
import type { Micros } from '../../src/base/clock.ts';
import type { InstrumentLimits } from '../../src/domain/instrument.ts';
import type { OrderRequest } from '../../src/domain/order.ts';
import { Refusal } from '../../src/domain/refusal.ts';
import { checkOrder } from '../../src/order/order-checks.ts';
import type { OrderBounds } from '../../src/order/order-checks.ts';
import { aBookTicker, noon } from '../support/builders.ts';
import { anOrder } from '../support/order-builders.ts';

type Case = Partial<Omit<OrderRequest, 'quantity' | 'limitPrice'>> & {
  readonly quantity?: string;
  readonly limitPrice?: string;
  readonly timeout?: Micros;
};

const limits: InstrumentLimits = {
  tickSize: parseDecimal('0.01'),
  lotSize: parseDecimal('0.001'),
  minimumNotional: parseDecimal('5'),
};
const bounds: OrderBounds = { maximumNotional: parseDecimal('1000000'), priceCollarPercent: 10 };
const ticker = aBookTicker({ bid: ['99', '1'], ask: ['101', '1'] });

function check({ timeout, ...parts }: Case, known: InstrumentLimits = limits): void {
  checkOrder(anOrder(parts), timeout, { now: noon, limits: known, ticker, bounds });
}

function refusalOf(work: () => void): Refusal {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
  throw new Error('Expected a refusal');
}

test.each<[what: string, order: Case]>([
  ['nothing special', {}],
  ['the smallest step of both', { quantity: '0.501', limitPrice: '99.99' }],
  ['the least notional', { quantity: '0.05', limitPrice: '100' }],
  ['the greatest notional', { quantity: '10000', limitPrice: '100' }],
  ['a sell at the collar', { limitPrice: '89.1' }],
  ['a buy at the collar', { side: 'buy', limitPrice: '111.1' }],
  ['a sell that only waits', { limitPrice: '1000' }],
  ['a buy that only waits', { side: 'buy', limitPrice: '5' }],
  ['an expiry right after now', { timeInForce: 'GTD', expireTime: noon + 1 }],
  ['a timeout', { timeInForce: 'GTD', timeout: 1000 }],
  ['an id of every kind of character', { clientOrderId: '!Az09~"\\' }],
  ['the longest id', { clientOrderId: 'x'.repeat(64) }],
])('an order with %s is fine', (_, order) => {
  expect(() => check(order)).not.toThrow();
});

test.each<[what: string, order: Case, message: string]>([
  ['no quantity', { quantity: '0' }, 'quantity: expected a decimal above 0, got 0'],
  ['no price', { limitPrice: '0' }, 'limit_price: expected a decimal above 0, got 0'],
  [
    'a quantity off the lot',
    { quantity: '1.0005' },
    "quantity: expected a multiple of the instrument's lot size of 0.001, got 1.0005",
  ],
  [
    'a price off the tick',
    { limitPrice: '100.001' },
    "limit_price: expected a multiple of the instrument's tick size of 0.01, got 100.001",
  ],
  [
    'too little notional',
    { quantity: '0.049' },
    "quantity: expected a notional of the instrument's minimum of 5 or more, got 4.9 (quantity × limit price)",
  ],
  [
    'too much notional',
    { quantity: '10000.001' },
    'quantity: expected a notional of 1000000 at most, got 1000000.1 (quantity × limit price)',
  ],
  [
    'a sell through the market',
    { limitPrice: '89.09' },
    'limit_price: expected a price at most 10 % below the best bid of 99, got 89.09',
  ],
  [
    'a buy through the market',
    { side: 'buy', limitPrice: '111.11' },
    'limit_price: expected a price at most 10 % above the best ask of 101, got 111.11',
  ],
  [
    'an expiry now',
    { timeInForce: 'GTD', expireTime: noon },
    'expire_time: expected a time after now (2026-01-01T12:00:00.000Z), got 2026-01-01T12:00:00.000Z',
  ],
  [
    'no expiry of a GTD',
    { timeInForce: 'GTD' },
    'expire_time: expected an expire_time or a timeout of a GTD order, got none',
  ],
  [
    'both expiries of a GTD',
    { timeInForce: 'GTD', expireTime: noon + 1, timeout: 1000 },
    'timeout: expected none beside an expire_time, got both',
  ],
  [
    'an expiry of a GTC',
    { timeInForce: 'GTC', expireTime: noon + 1 },
    'expire_time: expected none, because only GTD orders expire, got one',
  ],
  [
    'a timeout of an IOC',
    { timeInForce: 'IOC', timeout: 1000 },
    'timeout: expected none, because only GTD orders expire, got one',
  ],
  [
    'a timeout of nothing',
    { timeInForce: 'GTD', timeout: 999 },
    'timeout: expected 1 ms to 366 days, got 0.999 ms',
  ],
  [
    'a timeout of years',
    { timeInForce: 'GTD', timeout: 367 * 86_400_000_000 },
    'timeout: expected 1 ms to 366 days, got 31708800000 ms',
  ],
  [
    'an empty account',
    { account: '' },
    'account: expected 1 to 64 letters, digits, ".", "_", ":" and "-", got ""',
  ],
  [
    'a line end in its account',
    { account: 'a\n' },
    'account: expected 1 to 64 letters, digits, ".", "_", ":" and "-", got "a\\n"',
  ],
  [
    'an empty id',
    { clientOrderId: '' },
    'client_order_id: expected 1 to 64 printable ASCII characters without spaces, got ""',
  ],
  [
    'a control character in its id',
    { clientOrderId: 'a\u0007' },
    'client_order_id: expected 1 to 64 printable ASCII characters without spaces, got "a\\u0007"',
  ],
  [
    'an id beyond ASCII',
    { clientOrderId: 'é' },
    'client_order_id: expected 1 to 64 printable ASCII characters without spaces, got "é"',
  ],
  [
    'a long id',
    { clientOrderId: 'x'.repeat(65) },
    `client_order_id: expected 1 to 64 printable ASCII characters without spaces, got "${'x'.repeat(65)}"`,
  ],
])('an order with %s is refused, with the field and what was expected', (_, order, message) => {
  const refusal = refusalOf(() => check(order));
  expect(refusal.message).toBe(message);
  expect(refusal.field).toBe(message.slice(0, message.indexOf(':')));
});

test.each([
  ['limit', { quantity: '10000.001' }],
  ['failedPrecondition', { limitPrice: '89.09' }],
  ['invalid', { quantity: '0.0001' }],
] as const)('the reason is told apart: %s', (reason, order) => {
  expect(refusalOf(() => check(order)).reason).toBe(reason);
});

test.each([
  ['not known', { tickSize: undefined, lotSize: undefined, minimumNotional: undefined }],
  ['0, as exchanges write where there is none', { tickSize: 0n, lotSize: 0n, minimumNotional: 0n }],
])('steps that are %s are not looked at', (_, known) => {
  expect(() => check({ quantity: '0.0000000001', limitPrice: '100.0001' }, known)).not.toThrow();
});

test.each([
  ['without a ticker', undefined],
  ['without anybody on that side', aBookTicker({ bid: ['0', '0'], ask: ['0', '0'] })],
])('%s there is no collar', (_, without) => {
  for (const side of ['buy', 'sell'] as const) {
    const order = anOrder({ side, limitPrice: '5' });
    expect(() =>
      checkOrder(order, undefined, { now: noon, limits, ticker: without, bounds }),
    ).not.toThrow();
  }
});
