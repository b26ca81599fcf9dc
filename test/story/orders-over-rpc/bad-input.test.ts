import { ViolationsSchema } from '@bufbuild/protovalidate/gen/buf/validate/validate_pb.js';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MarketService } from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import { OrderStatus, TimeInForce } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { eventually } from '../../support/eventually.ts';
import { Floor, anOrder } from './open-floor.ts';

let floor: Floor;

beforeAll(async () => {
  floor = await Floor.open({
    environment: {
      MAX_ORDER_NOTIONAL: '10000',
      PRICE_COLLAR_PERCENT: '10',
      MAX_OPEN_ORDERS_PER_ACCOUNT: '3',
      // Nobody has to listen there.
      EXCHANGE1_PORT: '40101',
    },
  });
  const market = createClient(MarketService, floor.transport);
  await eventually(async () => {
    const { instruments } = await market.listInstruments({});
    return instruments.some(
      ({ name, tickSize }) => name.endsWith(':BNBUSDT') && tickSize !== undefined,
    );
  });
  await floor.quote(['50', '10', '51', '10']);
});
afterAll(() => floor[Symbol.asyncDispose]());

/** How a call is refused: the code, the fields that are told to be wrong, and the words. */
async function refusalOf(call: Promise<unknown>) {
  const error = ConnectError.from(
    await call.then(
      () => 'answered',
      (error: unknown) => error,
    ),
  );
  const fields = error
    .findDetails(ViolationsSchema)
    .flatMap(({ violations }) => violations)
    .map(({ field }) => field?.elements.map(({ fieldName }) => fieldName).join('.'));
  return { code: error.code, fields, message: error.rawMessage };
}

/** Seconds since 1970, a day from now. */
const tomorrow = BigInt(Math.floor(Date.now() / 1000) + 86_400);
const at = (seconds: bigint, nanos = 0) => ({
  timeInForce: TimeInForce.GTD,
  expiry: { case: 'expireTime' as const, value: { seconds, nanos } },
});
const after = (seconds: bigint, nanos = 0) => ({
  timeInForce: TimeInForce.GTD,
  expiry: { case: 'timeout' as const, value: { seconds, nanos } },
});

describe('an order is refused, and nothing stored,', () => {
  test.each<[what: string, wish: object, field: string, message: RegExp]>([
    ...[
      '',
      '0x10',
      '-1',
      '+1',
      '1e3',
      'NaN',
      'Infinity',
      '1,000',
      '1_000',
      '1.',
      '.5',
      ' 1',
      '1 ',
      '１２３',
      '4'.repeat(40),
      `1.${'1'.repeat(19)}`,
      "1'; drop table orders",
    ].map(
      (quantity) =>
        [
          `of the quantity ${JSON.stringify(quantity)}`,
          { quantity },
          'quantity',
          /quantity: /u,
        ] as [string, object, string, RegExp],
    ),
    ['of none', { quantity: '0' }, 'quantity', /^quantity: expected a decimal above 0, got 0/u],
    [
      'of none, written at length',
      { quantity: '000.000' },
      'quantity',
      /expected a decimal above 0/u,
    ],
    [
      'off the lot size',
      { quantity: '1.0001' },
      'quantity',
      /multiple of the instrument's lot size of 0\.001, got 1\.0001/u,
    ],
    [
      'of less than the minimum notional',
      { quantity: '0.1' },
      'quantity',
      /minimum of 5 or more, got 4\.2/u,
    ],
    [
      'at no price',
      { limitPrice: '0' },
      'limit_price',
      /^limit_price: expected a decimal above 0/u,
    ],
    ['at a price with an exponent', { limitPrice: '1e-2' }, 'limit_price', /limit_price: /u],
    [
      'off the tick size',
      { limitPrice: '42.001' },
      'limit_price',
      /tick size of 0\.01, got 42\.001/u,
    ],
    ['of no side', { side: 0 }, 'side', /side: /u],
    ['of a side that there is not', { side: 99 }, 'side', /side: /u],
    ['without a time in force', { timeInForce: 0 }, 'time_in_force', /time_in_force: /u],
    ['with an unknown time in force', { timeInForce: 99 }, 'time_in_force', /time_in_force: /u],
    ['without an instrument', { instrument: '' }, 'instrument', /instrument: /u],
    [
      'with control characters in the instrument',
      { instrument: 'BNB\nUSDT' },
      'instrument',
      /instrument: /u,
    ],
    ['with an endless instrument', { instrument: 'B'.repeat(81) }, 'instrument', /instrument: /u],
    ['of an account with spaces', { account: 'my account' }, 'account', /account: /u],
    ['of an endless account', { account: 'a'.repeat(65) }, 'account', /account: /u],
    [
      'with an endless id',
      { clientOrderId: 'c'.repeat(65) },
      'client_order_id',
      /client_order_id: /u,
    ],
    [
      'with a control character in the id',
      { clientOrderId: 'a\u0000b' },
      'client_order_id',
      /client_order_id: /u,
    ],
    [
      'with an id turned around',
      { clientOrderId: '\u202Eabc' },
      'client_order_id',
      /client_order_id: /u,
    ],
    [
      'as GTD without an expiry',
      { timeInForce: TimeInForce.GTD },
      'expire_time',
      /^expire_time: expected an expire_time or a timeout/u,
    ],
    [
      'with an expiry that a GTC has not',
      { ...at(tomorrow), timeInForce: TimeInForce.GTC },
      'expire_time',
      /only GTD orders expire/u,
    ],
    [
      'with a timeout that an IOC has not',
      { ...after(1n), timeInForce: TimeInForce.IOC },
      'timeout',
      /only GTD orders expire/u,
    ],
    [
      'that has expired',
      at(1_700_000_000n),
      'expire_time',
      /^expire_time: expected a time after now/u,
    ],
    ['that expires before 1970', at(-1n), 'expire_time', /expire_time: /u],
    ['that expires after 2255', at(9_007_199_255n), 'expire_time', /expire_time: /u],
    [
      'that expires within a microsecond',
      at(tomorrow, 1),
      'expire_time',
      /^expire_time: expected whole microseconds/u,
    ],
    ['that expires at once', after(0n), 'timeout', /timeout: /u],
    ['that expires in more than a year', after(31_622_401n), 'timeout', /timeout: /u],
    [
      'that expires after a nanosecond too many',
      after(1n, 1),
      'timeout',
      /^timeout: expected whole microseconds/u,
    ],
  ])('%s', async (_what, wish, field, message) => {
    const rows = await floor.storedRows();
    const refusal = await refusalOf(floor.orders.submitLimitOrder({ ...anOrder(), ...wish }));
    expect(refusal).toEqual({
      code: Code.InvalidArgument,
      fields: [field],
      message: expect.stringMatching(message),
    });
    expect(await floor.storedRows()).toBe(rows);
  });

  test.each<[what: string, wish: object, code: Code, field: string[], message: RegExp]>([
    [
      'on an unknown symbol',
      { instrument: 'NOSUCH' },
      Code.NotFound,
      ['instrument'],
      /"NOSUCH" is not known; known are sim-binance:BNBUSDT, sim-binance:ETHBTC, sim-binance:LTCBTC/u,
    ],
    [
      'on another exchange',
      { instrument: 'elsewhere:BNBUSDT' },
      Code.NotFound,
      ['instrument'],
      /"elsewhere:BNBUSDT" is not known/u,
    ],
    [
      'on an exchange that tells no quantities',
      { instrument: 'exchange1:BTCUSDT' },
      Code.FailedPrecondition,
      ['instrument'],
      /^instrument: sim-exchange1:BTCUSDT has prices alone, and no quantities to trade against$/u,
    ],
    [
      'beyond the largest notional',
      { quantity: '238.096' },
      Code.ResourceExhausted,
      ['quantity'],
      /notional of 10000 at most, got 10000\.032 \(quantity × limit price\)/u,
    ],
    [
      'of the largest numbers',
      { quantity: '9'.repeat(15), limitPrice: '9'.repeat(15) },
      Code.ResourceExhausted,
      ['quantity'],
      /notional of 10000 at most/u,
    ],
    [
      'that sells too far below the bid',
      { limitPrice: '44.99' },
      Code.FailedPrecondition,
      ['limit_price'],
      /a price at most 10 % below the best bid of 50, got 44\.99/u,
    ],
    [
      'that buys too far above the ask',
      { side: 1, limitPrice: '56.11' },
      Code.FailedPrecondition,
      ['limit_price'],
      /10 % above the best ask of 51, got 56\.11/u,
    ],
  ])('%s', async (_what, wish, code, fields, message) => {
    const rows = await floor.storedRows();
    const refusal = await refusalOf(floor.orders.submitLimitOrder({ ...anOrder(), ...wish }));
    expect(refusal).toEqual({ code, fields, message: expect.stringMatching(message) });
    expect(await floor.storedRows()).toBe(rows);
  });

  test('as one open order of the account too many', async () => {
    const wish = { account: 'busy', limitPrice: '60' };
    await Promise.all([1, 2, 3].map(() => floor.submit(wish)));
    const rows = await floor.storedRows();
    expect(await refusalOf(floor.submit(wish))).toEqual({
      code: Code.ResourceExhausted,
      fields: [],
      message: 'At most 3 open orders an account: cancel some, or wait until some are filled',
    });
    expect(await floor.storedRows()).toBe(rows);
    await floor.orders.cancelAllOrders({ account: 'busy' });
    expect((await floor.submit(wish)).status).toBe(OrderStatus.OPEN);
  });
});

test('a price on the far side of the collar only waits', async () => {
  const { status } = await floor.submit({ account: 'patient', limitPrice: '300', quantity: '1' });
  expect(status).toBe(OrderStatus.OPEN);
});
