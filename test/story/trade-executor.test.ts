import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OrderStatus } from '../../gen/tradewind/order/v1/order_pb.ts';
import { formatDecimal, parseDecimal } from '../../src/base/decimal.ts';
import type { Decimal } from '../../src/base/decimal.ts';
import { eventually } from '../support/eventually.ts';
import { runTool } from '../support/run-tool.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { Floor } from './orders-over-rpc/open-floor.ts';
import { hasCurl } from '../support/has-curl.ts';

type Split = { readonly price: string; readonly quantity: string; readonly updateId: string };

/** An order as plain HTTP answers it. */
type Answer = {
  readonly message: string;
  readonly orderId: string;
  readonly filledQuantity: string;
  readonly splits: readonly Split[];
};

/** What a book ticker that the simulator sent displayed. */
type SentBid = { readonly price: Decimal; readonly quantity: Decimal };

/** Runs curl as a user does. */
async function curl(...args: readonly string[]): Promise<{ status: number; text: string }> {
  const { stdout } = await runTool('curl', ['-sS', '-w', '\n%{http_code}', ...args]);
  const [, text = '', status] = /^([\s\S]*)\n(\d{3})$/u.exec(stdout) ?? [];
  return { status: Number(status), text };
}

const postLimit = (floor: Floor, body: string, ...args: readonly string[]) =>
  curl('--request', 'POST', '--url', `${floor.url}/order/limit`, '--data', body, ...args);

async function limitOrder(floor: Floor, body: string, ...args: readonly string[]) {
  const { status, text } = await postLimit(floor, body, ...args);
  return { httpStatus: status, ...(JSON.parse(text) as Answer) };
}

/** The bids of a recording, by update id. */
function bidsIn(recordFile: string): ReadonlyMap<string, SentBid> {
  const lines = readFileSync(recordFile, 'utf8').trimEnd().split('\n');
  const frames = lines.map(
    (line) =>
      JSON.parse(line.slice(line.indexOf(' '))) as { data: { u?: number; b: string; B: string } },
  );
  return new Map(
    frames.flatMap(({ data: { u, b, B } }) =>
      u === undefined ? [] : [[String(u), { price: parseDecimal(b), quantity: parseDecimal(B) }]],
    ),
  );
}

const sum = (splits: readonly Split[]) =>
  formatDecimal(splits.reduce((total, { quantity }) => total + parseDecimal(quantity), 0n));

describe.skipIf(!hasCurl)('the trade executors’ users', () => {
  test('place their orders by curl, and each split is what the exchange displayed', async () => {
    const recordFile = join(temporaryDirectory(), 'sent.txt');
    const floor = await Floor.open({ recordFile });
    const splits: { split: Split; limit: string }[] = [];
    try {
      for (const symbol of ['LTCBTC', 'BNBUSDT']) await floor.control({ action: 'resume', symbol });
      // As the READMEs print them, at the same time.
      const [limit, sell] = await Promise.all([
        limitOrder(floor, '{"symbol": "LTCBTC", "order_size": 1000, "price": 0.0001}'),
        curl(
          '-X',
          'POST',
          `${floor.url}/SellOrder`,
          '-d',
          '{"quantity": 25, "price": 42, "symbol": "BNBUSDT"}',
        ),
      ]);
      expect([limit.httpStatus, limit.message]).toEqual([200, 'Order successfully fulfilled']);
      expect([limit.filledQuantity, sum(limit.splits)]).toEqual(['1000', '1000']);
      splits.push(...limit.splits.map((split) => ({ split, limit: '0.0001' })));

      const [, orderId = ''] =
        /^The Sell Order was created with ID: "([\w-]+)"$/u.exec(sell.text) ?? [];
      expect([sell.status, orderId]).toEqual([200, expect.stringMatching(/^.+$/u)]);
      await eventually(async () =>
        expect((await floor.order(orderId)).status).toBe(OrderStatus.FILLED),
      );
      const sold = (await floor.order(orderId)).splits.map((split) => ({
        ...split,
        updateId: String(split.updateId),
      }));
      expect(sum(sold)).toBe('25');
      splits.push(...sold.map((split) => ({ split, limit: '42' })));
    } finally {
      await floor[Symbol.asyncDispose]();
    }
    // Written to its end only now.
    const bids = bidsIn(recordFile);
    expect(splits.length).toBeGreaterThan(2);
    for (const { split, limit } of splits) {
      const bid = bids.get(split.updateId);
      if (bid === undefined) throw new Error(`${split.updateId} was never sent`);
      expect(parseDecimal(split.price)).toBe(bid.price);
      expect(bid.price).toBeGreaterThanOrEqual(parseDecimal(limit));
      expect(parseDecimal(split.quantity)).toBeLessThanOrEqual(bid.quantity);
    }
  });

  describe('where orders may wait for a second', () => {
    let floor: Floor;
    beforeAll(async () => {
      floor = await Floor.open({ environment: { ORDER_TIMEOUT_SECONDS: '1' } });
      await floor.quote(['0.001', '300', '0.002', '10'], { symbol: 'LTCBTC' });
    });
    afterAll(() => floor[Symbol.asyncDispose]());

    test('are answered 400 for an order out of reach, at its timeout, and nothing of it is filled', async () => {
      const answer = await limitOrder(
        floor,
        '{"symbol": "LTCBTC", "order_size": 1000, "price": 0.1}',
      );
      expect(answer).toMatchObject({
        httpStatus: 400,
        message: 'Order not fulfilled',
        status: 'ORDER_STATUS_EXPIRED',
        filledQuantity: '0',
        splits: [],
      });
    });

    test('keep what was filled of an order until its timeout', async () => {
      const answer = await limitOrder(
        floor,
        '{"symbol": "LTCBTC", "order_size": 1000, "price": 0.0001}',
      );
      expect(answer).toMatchObject({
        httpStatus: 400,
        message: 'Order not fulfilled',
        status: 'ORDER_STATUS_EXPIRED',
        filledQuantity: '300',
        remainingQuantity: '700',
        splits: [{ price: '0.001', quantity: '300' }],
      });
      expect(await floor.order(answer.orderId)).toMatchObject({ filledQuantity: '300' });
    });

    test('may ask to be answered at once', async () => {
      const body = '{"symbol": "LTCBTC", "order_size": 1, "price": 0.1}';
      const answer = await limitOrder(floor, body, '-H', 'Prefer: respond-async');
      expect(answer).toMatchObject({
        httpStatus: 202,
        message: 'Order accepted',
        status: 'ORDER_STATUS_OPEN',
      });
      await eventually(async () =>
        expect((await floor.order(answer.orderId)).status).toBe(OrderStatus.EXPIRED),
      );
    });
  });

  describe('where orders may wait', () => {
    let floor: Floor;
    beforeAll(async () => {
      floor = await Floor.open();
    });
    afterAll(() => floor[Symbol.asyncDispose]());

    test('may send a request again, and place one order', async () => {
      await floor.quote(['0.001', '301', '0.002', '10'], { symbol: 'LTCBTC' });
      const body = '{"symbol": "LTCBTC", "order_size": 1, "price": 0.001}';
      const key = ['-H', 'Idempotency-Key: once'];
      const [one, other] = await Promise.all([
        limitOrder(floor, body, ...key),
        limitOrder(floor, body, ...key),
      ]);
      expect([one.httpStatus, other]).toEqual([200, one]);
      const third = await limitOrder(
        floor,
        '{"symbol": "LTCBTC", "order_size": 2, "price": 0.001}',
        ...key,
      );
      expect(third).toMatchObject({
        httpStatus: 409,
        reason: expect.stringContaining('client_order_id'),
      });
    });

    test('may leave, and the order goes on', async () => {
      const leaving = new AbortController();
      const body =
        '{"symbol": "LTCBTC", "order_size": 5, "price": 0.003, "client_order_id": "left"}';
      const posted = fetch(`${floor.url}/order/limit`, {
        method: 'POST',
        body,
        signal: leaving.signal,
      });
      const order = { case: 'clientOrderId' as const, value: 'left' };
      await eventually(() => floor.orders.getOrder({ order }));
      leaving.abort();
      await expect(posted).rejects.toThrow(/abort/u);
      await floor.quote(['0.003', '5', '0.004', '10'], { symbol: 'LTCBTC' });
      await eventually(async () =>
        expect((await floor.orders.getOrder({ order })).order?.status).toBe(OrderStatus.FILLED),
      );
    });

    test('are told which order goes on when the server stops', async () => {
      const body =
        '{"symbol": "LTCBTC", "order_size": 5, "price": 0.9, "client_order_id": "stopped"}';
      const posted = limitOrder(floor, body);
      const order = { case: 'clientOrderId' as const, value: 'stopped' };
      await eventually(() => floor.orders.getOrder({ order }));
      await floor.stopServer();
      const { orderId, ...answer } = await posted;
      expect(answer).toMatchObject({
        httpStatus: 503,
        message: 'There was an error processing your request',
        account: 'default',
      });
      await floor.startServer();
      expect((await floor.order(orderId)).status).toBe(OrderStatus.OPEN);
    });

    test.each([
      ['no JSON', 'order', 400, { message: 'There was an error parsing your request' }],
      [
        'an unknown symbol',
        '{"symbol": "NOSUCH", "order_size": 1, "price": 1}',
        404,
        {
          reason: expect.stringContaining(
            'symbol: "NOSUCH" is not known; known are sim-binance:BNBUSDT',
          ),
        },
      ],
      [
        'a locale’s number',
        '{"symbol": "LTCBTC", "order_size": "1.000,5", "price": 1}',
        400,
        { reason: expect.stringMatching(/^order_size: expected a decimal/u) },
      ],
    ])('are told what is wrong with %s', async (_what, body, status, answer) => {
      const rows = await floor.storedRows();
      expect(await limitOrder(floor, body)).toMatchObject({ httpStatus: status, ...answer });
      expect(await floor.storedRows()).toBe(rows);
    });

    test('are told with a plain text of the symbols that are not supported', async () => {
      const body = '{"quantity": 25, "price": 42, "symbol": "NOSUCH"}';
      expect(await curl('-X', 'POST', `${floor.url}/SellOrder`, '-d', body)).toEqual({
        status: 501,
        text: 'The symbol specified is not supported',
      });
    });
  });
});
