import type { Micros } from '../base/clock.ts';
import { decimalScale, formatDecimal, formatProduct } from '../base/decimal.ts';
import type { Decimal } from '../base/decimal.ts';
import { isAccount } from '../domain/account.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { InstrumentLimits } from '../domain/instrument.ts';
import type { OrderRequest } from '../domain/order.ts';
import { Refusal } from '../domain/refusal.ts';
import type { RefusalReason } from '../domain/refusal.ts';

/** What this service sets to every order, beside what the exchange sets to its instruments. */
export type OrderBounds = {
  /** Of quantity × limit price, in the quote asset. */
  readonly maximumNotional: Decimal;
  /**
   * How far through the best price a limit may go, in whole percent of it: a buy above the ask, a sell
   * below the bid. What is on the other side of it only waits. Undefined: as far as it likes.
   */
  readonly priceCollarPercent: number | undefined;
};

export type OrderSurroundings = {
  readonly now: Micros;
  readonly limits: InstrumentLimits;
  /** The last good one, where there is one: without it the collar is not looked at. */
  readonly ticker: BookTicker | undefined;
  readonly bounds: OrderBounds;
};

/** A GTD order's timeout, in µs: a year and a day. */
export const longestTimeout: Micros = 366 * 86_400_000_000;
const shortestTimeout: Micros = 1_000;

/**
 * Whether an order can be accepted, by itself; `timeout` is that of a GTD order without an expire
 * time, in µs.
 * @throws Refusal that names the field, as the contract does, and what was expected
 */
export function checkOrder(
  request: OrderRequest,
  timeout: Micros | undefined,
  { now, limits, ticker, bounds }: OrderSurroundings,
): void {
  checkNames(request);
  checkAmount('quantity', request.quantity, 'lot size', limits.lotSize);
  checkAmount('limit_price', request.limitPrice, 'tick size', limits.tickSize);
  checkExpiry(request, timeout, now);
  checkNotional(request, limits, bounds);
  if (ticker !== undefined) checkCollar(request, ticker, bounds);
}

function checkNames({ account, clientOrderId }: OrderRequest): void {
  if (!isAccount(account)) {
    throw refusal('account', '1 to 64 letters, digits, ".", "_", ":" and "-"', quoted(account));
  }
  if (clientOrderId !== undefined && !/^[!-~]{1,64}$/u.test(clientOrderId)) {
    const expected = '1 to 64 printable ASCII characters without spaces';
    throw refusal('client_order_id', expected, quoted(clientOrderId));
  }
}

function checkAmount(field: string, value: Decimal, step: string, size: Decimal | undefined): void {
  if (value <= 0n) throw refusal(field, 'a decimal above 0', formatDecimal(value));
  // Exchanges write 0 where there is no such step.
  if (size === undefined || size <= 0n || value % size === 0n) return;
  const expected = `a multiple of the instrument's ${step} of ${formatDecimal(size)}`;
  throw refusal(field, expected, formatDecimal(value));
}

function checkExpiry(
  { timeInForce, expireTime }: OrderRequest,
  timeout: Micros | undefined,
  now: Micros,
): void {
  const field = expireTime === undefined ? 'timeout' : 'expire_time';
  if (timeInForce !== 'GTD') {
    if (expireTime === undefined && timeout === undefined) return;
    throw refusal(field, `none, because only GTD orders expire`, 'one');
  }
  if (expireTime !== undefined) {
    if (timeout !== undefined) throw refusal('timeout', 'none beside an expire_time', 'both');
    if (expireTime > now) return;
    throw refusal(field, `a time after now (${inWords(now)})`, inWords(expireTime));
  }
  if (timeout === undefined) {
    throw refusal('expire_time', 'an expire_time or a timeout of a GTD order', 'none');
  }
  if (timeout < shortestTimeout || timeout > longestTimeout) {
    throw refusal(field, '1 ms to 366 days', `${timeout / 1000} ms`);
  }
}

function checkNotional(
  { quantity, limitPrice }: OrderRequest,
  { minimumNotional }: InstrumentLimits,
  { maximumNotional }: OrderBounds,
): void {
  const notional = quantity * limitPrice;
  const got = `${formatProduct(notional)} (quantity × limit price)`;
  if (minimumNotional !== undefined && notional < product(minimumNotional)) {
    const expected = `a notional of the instrument's minimum of ${formatDecimal(minimumNotional)} or more`;
    throw refusal('quantity', expected, got);
  }
  if (notional > product(maximumNotional)) {
    const expected = `a notional of ${formatDecimal(maximumNotional)} at most`;
    throw refusal('quantity', expected, got, 'limit');
  }
}

function checkCollar(
  { side, limitPrice }: OrderRequest,
  { bidPrice, askPrice }: BookTicker,
  { priceCollarPercent: percent }: OrderBounds,
): void {
  const best = side === 'sell' ? bidPrice : askPrice;
  // An empty side has no price.
  if (percent === undefined || best === 0n) return;
  const furthest = best * (100n + BigInt(side === 'sell' ? -percent : percent));
  const limit = limitPrice * 100n;
  if (side === 'sell' ? limit >= furthest : limit <= furthest) return;
  const relation = side === 'sell' ? 'below the best bid' : 'above the best ask';
  const expected = `a price at most ${percent} % ${relation} of ${formatDecimal(best)}`;
  throw refusal('limit_price', expected, formatDecimal(limitPrice), 'failedPrecondition');
}

function refusal(
  field: string,
  expected: string,
  got: string,
  reason: RefusalReason = 'invalid',
): Refusal {
  return new Refusal(reason, `${field}: expected ${expected}, got ${got}`, { field });
}

function product(value: Decimal): bigint {
  return value * 10n ** BigInt(decimalScale);
}

/** A client's text, cut and escaped. */
function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80));
}

function inWords(time: Micros): string {
  return new Date(time / 1000).toISOString();
}
