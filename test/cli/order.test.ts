import { Code, ConnectError } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import type { Order } from '../../gen/tradewind/order/v1/order_pb.ts';
import { OrderSide, OrderStatus, TimeInForce } from '../../gen/tradewind/order/v1/order_pb.ts';
import { timestampOf } from '../../src/rpc/messages.ts';
import { noon } from '../support/builders.ts';
import { accepted, anOrder, order, split } from './order-stub.ts';

test('an order that is placed is told, and how to follow it', async () => {
  const requests: unknown[] = [];
  const { exitCode, stdout } = await order(
    {
      submitLimitOrder: (request) => {
        requests.push(request);
        return { order: accepted() };
      },
    },
    ['sell', 'BNBUSDT', '25', '42', '--timeout', '1m30s'],
  );
  expect([exitCode, requests]).toEqual([
    0,
    [
      expect.objectContaining({
        account: 'default',
        instrument: 'BNBUSDT',
        side: OrderSide.SELL,
        quantity: '25',
        limitPrice: '42',
        timeInForce: TimeInForce.GTD,
        expiry: { case: 'timeout', value: expect.objectContaining({ seconds: 90n, nanos: 0 }) },
      }),
    ],
  ]);
  expect(stdout).toContain('Placed order-1: sell 25 binance:BNBUSDT at 42 or better (gtc)');
  expect(stdout).toContain('tradewind order watch order-1');
});

test('an order whose answer was lost is sent again under the same id', async () => {
  const ids: string[] = [];
  const { exitCode } = await order(
    {
      submitLimitOrder: ({ clientOrderId }) => {
        ids.push(clientOrderId);
        if (ids.length === 1) throw new ConnectError('stopping', Code.Unavailable);
        return { order: accepted(), alreadyAccepted: true };
      },
    },
    ['buy', 'BNBUSDT', '25', '42'],
  );
  expect(exitCode).toBe(0);
  expect(ids).toEqual([ids[0], ids[0]]);
  expect(ids[0]).not.toBe('');
});

test('an order that had been placed under its id is told as such, with whose it is', async () => {
  const { stdout } = await order(
    {
      submitLimitOrder: () => ({
        order: Object.assign(accepted(), { account: 'alice', waitingFor: 'The best bid is 40' }),
        alreadyAccepted: true,
      }),
    },
    ['sell', 'BNBUSDT', '25', '42', '--account', 'alice', '--client-order-id', 'mine'],
  );
  expect(stdout.split('\n')).toEqual([
    'Placed before: order-1: sell 25 binance:BNBUSDT at 42 or better (gtc)',
    'open: 0 of 25 — The best bid is 40',
    'Follow it: tradewind order watch order-1 --account alice',
    '',
  ]);
});

test('--wait follows an order through a break of the stream, and tells how it was split', async () => {
  const cursors: string[] = [];
  const filled = (version: number, price: string, quantity: string, after: Order) => ({
    cursor: `o1.${version}`,
    event: {
      case: 'orderEvent' as const,
      value: {
        orderId: 'order-1',
        version,
        time: timestampOf(noon),
        event: { case: 'filled' as const, value: split(version, price, quantity) },
        order: after,
      },
    },
  });
  const { exitCode, stdout, stderr } = await order(
    {
      submitLimitOrder: () => ({ order: accepted() }),
      async *streamOrderEvents({ resumeAfter }) {
        cursors.push(resumeAfter);
        if (resumeAfter === '') {
          yield { cursor: 'o1.1', event: { case: 'order', value: accepted() } };
          const after = anOrder({ status: OrderStatus.PARTIALLY_FILLED, filledQuantity: '5' });
          yield filled(2, '42', '5', after);
          throw new ConnectError('the server stops', Code.Unavailable);
        }
        yield filled(3, '42.5', '20', anOrder());
      },
      getOrder: () => ({ order: anOrder() }),
    },
    ['sell', 'BNBUSDT', '25', '42', '--wait'],
  );
  expect([exitCode, cursors]).toEqual([0, ['', 'o1.2']]);
  expect(stderr).toContain('the server stops; connecting again');
  expect(stdout).toContain('2026-01-01T12:00:00Z  filled 5 @ 42 (update 400900202)');
  expect(stdout).toMatch(/1 +2026-01-01T12:00:02Z +400900202 +42 +5 +30/u);
  expect(stdout).toMatch(/2 +2026-01-01T12:00:03Z +400900203 +42\.5 +20 +30/u);
  expect(stdout).toContain('2 splits, 25 for 1060 in all');
});

test('--wait fails when the order ends without being filled whole', async () => {
  const expired = anOrder({ status: OrderStatus.EXPIRED, filledQuantity: '5' });
  const { exitCode, stderr } = await order(
    {
      submitLimitOrder: () => ({ order: accepted() }),
      async *streamOrderEvents() {
        yield { cursor: 'o1.1', event: { case: 'order', value: expired } };
      },
      getOrder: () => ({ order: expired }),
    },
    ['sell', 'BNBUSDT', '25', '42', '--timeout', '1s', '--wait'],
  );
  expect(exitCode).toBe(1);
  expect(stderr).toContain('not filled whole: it is expired, with 5 of 25 filled');
});

test('orders are listed over as many pages as it takes', async () => {
  const tokens: string[] = [];
  const { exitCode, stdout } = await order(
    {
      listOrders: ({ pageToken, pageSize }) => {
        tokens.push(`${pageToken}/${pageSize}`);
        const orders = Array.from({ length: pageToken === '' ? 1000 : 500 }, () => anOrder());
        return { orders, nextPageToken: pageToken === '' ? 'next' : '' };
      },
    },
    ['list', '--status', 'filled', '-n', '1500', '--json'],
  );
  const lines = stdout.trimEnd().split('\n');
  expect([exitCode, tokens, lines.length]).toEqual([0, ['/1000', 'next/500'], 1500]);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    orderId: 'order-1',
    status: 'ORDER_STATUS_FILLED',
    splits: [{ price: '42' }, { price: '42.5' }],
  });
});

test('canceling shows the order, canceling all what there was', async () => {
  const canceled = anOrder({ status: OrderStatus.CANCELED });
  const one = await order({ cancelOrder: () => ({ order: canceled }) }, ['cancel', 'order-1']);
  expect([one.exitCode, one.stdout]).toEqual([0, expect.stringContaining('canceled: 25 of 25')]);
  const some = await order(
    { cancelAllOrders: () => ({ orders: [canceled], canceledCount: 1_500 }) },
    ['cancel-all'],
  );
  expect(some.stdout).toMatch(/order-1 [^\n]*\n… \(1500 in all\)\n$/u);
  const none = await order({ cancelAllOrders: () => ({ orders: [] }) }, ['cancel-all']);
  expect(none.stdout).toBe('There was no open order\n');
});

test('all orders of an account are followed, each line with the order that it is about', async () => {
  const event = (fields: object) => ({
    cursor: 'o1.2',
    event: {
      case: 'orderEvent' as const,
      value: { orderId: 'order-1', time: timestampOf(noon), ...fields },
    },
  });
  const { exitCode, stdout } = await order(
    {
      async *streamOrderEvents() {
        yield event({ event: { case: 'accepted', value: {} }, order: accepted() });
        yield event({ event: { case: 'filled', value: split(2, '42', '25') }, order: anOrder() });
      },
    },
    ['watch'],
  );
  expect([exitCode, stdout.split('\n')]).toEqual([
    0,
    [
      '2026-01-01T12:00:00Z  order-1  sell 25 binance:BNBUSDT at 42 or better (gtc)  open: 0 of 25',
      '2026-01-01T12:00:00Z  order-1  filled 25 @ 42 (update 400900202)  filled: 25 of 25 at 42.4 on average',
      '',
    ],
  ]);
});

test('what the server refuses is told in a line', async () => {
  const { exitCode, stderr } = await order(
    {
      submitLimitOrder: () => {
        throw new ConnectError('quantity: expected a multiple of 0.1', Code.InvalidArgument);
      },
    },
    ['sell', 'BNBUSDT', '0.01', '42'],
  );
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/refused: quantity: expected a multiple of 0\.1\n$/u);
});
