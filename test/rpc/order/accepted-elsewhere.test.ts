import { Code, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { expect, onTestFinished, test } from 'vitest';
import { OrderSide, TimeInForce } from '../../../gen/tradewind/order/v1/order_pb.ts';
import { OrderService } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { OrderRequest } from '../../../src/domain/order.ts';
import { alreadyAccepted } from '../../../src/order/same-request.ts';
import { InstrumentDirectory } from '../../../src/rpc/instrument-directory.ts';
import { orderService } from '../../../src/rpc/order/order-service.ts';
import { anOrder } from '../../support/order-builders.ts';
import { orderServiceParts } from '../../support/order-service-parts.ts';
import { openTestListener } from '../../support/test-listener.ts';

const [simulated, live] = ['sim-binance:BTCUSDT', 'binance:BTCUSDT'];
const order = {
  instrument: 'BTCUSDT',
  side: OrderSide.SELL,
  quantity: '1',
  limitPrice: '100',
  timeInForce: TimeInForce.GTC,
  clientOrderId: 'mine',
};

/** A server that has gone over to the real exchanges, after the order was accepted on the simulated one. */
async function afterTheSwitch(liveInstruments: readonly string[] = [live]) {
  const accepted = {
    ...anOrder({ instrument: simulated, clientOrderId: 'mine' }),
    splits: [],
  };
  const directory = new InstrumentDirectory([simulated], 'sim-binance', liveInstruments);
  directory.switchTo({ exchanges: ['binance'], instruments: liveInstruments });
  const submitted: OrderRequest[] = [];
  const parts = orderServiceParts({
    directory,
    desk: {
      submit: async (request, options) => {
        submitted.push(request);
        if (request.clientOrderId !== 'mine') return { order: accepted, isAlreadyAccepted: false };
        return alreadyAccepted({ request, timeout: options?.timeout }, accepted);
      },
    },
    orders: {
      get: async (name) =>
        'clientOrderId' in name && name.clientOrderId === 'mine' ? accepted : undefined,
    },
  });
  const listener = await openTestListener({
    routes: (router) => router.service(OrderService, orderService(parts)),
  });
  onTestFinished(() => listener[Symbol.asyncDispose]());
  const transport = createGrpcTransport({ baseUrl: listener.url });
  return { orders: createClient(OrderService, transport), submitted };
}

test.each([
  ['BTCUSDT', [live]],
  ['btcusdt', [live]],
  ['binance:BTCUSDT', [live]],
  ['sim-binance:BTCUSDT', [live]],
  ['BTCUSDT', ['binance:ETHBTC']],
])('an order on %s that is sent again when %j is followed is answered as it was', async (...is) => {
  const [instrument, instruments] = is;
  const { orders } = await afterTheSwitch(instruments);
  expect(await orders.submitLimitOrder({ ...order, instrument })).toMatchObject({
    alreadyAccepted: true,
    order: { orderId: 'order-1', instrument: simulated },
  });
});

test.each([
  ['another quantity', { quantity: '2' }],
  ['another symbol', { instrument: 'ETHBTC' }],
  ['another exchange', { instrument: 'kraken:BTCUSDT' }],
])('%s under the same id is refused', async (_what, fields) => {
  const { orders } = await afterTheSwitch([live, 'binance:ETHBTC', 'kraken:BTCUSDT']);
  await expect(orders.submitLimitOrder({ ...order, ...fields })).rejects.toMatchObject({
    code: Code.AlreadyExists,
  });
});

test('an order under an id of its own means the instrument of now', async () => {
  const { orders, submitted } = await afterTheSwitch();
  await orders.submitLimitOrder({ ...order, clientOrderId: 'new' });
  expect(submitted).toMatchObject([{ instrument: live }]);
});
