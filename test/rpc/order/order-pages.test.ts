import { create, toBinary } from '@bufbuild/protobuf';
import { createClient, createRouterTransport } from '@connectrpc/connect';
import { expect, test } from 'vitest';
import {
  ListOrdersResponseSchema,
  OrderService,
} from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import type { Order, Split } from '../../../src/domain/order.ts';
import { orderService } from '../../../src/rpc/order/order-service.ts';
import { noon } from '../../support/builders.ts';
import { anOrder } from '../../support/order-builders.ts';
import { orderServiceParts } from '../../support/order-service-parts.ts';

/** What every client of gRPC takes unless it is told otherwise. */
const clientsDefault = 4 * 1024 * 1024;

/** 33 digits. */
const longest = '123456789012345.123456789012345678';
const quantity = 123_456_789_012_345_123_456_789_012_345_678n;

/** As many bytes as one can have. */
const widest: Order = {
  ...anOrder({ quantity: longest, limitPrice: longest }),
  orderId: 'o'.repeat(36),
  account: 'a'.repeat(64),
  clientOrderId: 'c'.repeat(64),
  instrument: `${'e'.repeat(32)}:${'S'.repeat(48)}`,
  version: 1_000_000,
  status: 'partiallyFilled',
  filledQuantity: quantity - 1n,
  filledNotional: quantity * quantity,
};

const split: Split = {
  version: 1_000_000,
  price: quantity,
  quantity,
  updateId: Number.MAX_SAFE_INTEGER,
  time: noon + 1,
  displayedQuantity: quantity,
  consumedAfter: quantity,
};

test('the largest page of orders fits into what any client takes', async () => {
  const parts = orderServiceParts({
    desk: {
      waitingFor: () => ({
        type: 'priceOutOfReach',
        side: 'sell',
        bestPrice: quantity,
        limitPrice: quantity,
      }),
    },
    orders: {
      list: async ({ limit, splits }) =>
        Array.from({ length: limit }, () => ({
          ...widest,
          splits: Array.from({ length: splits }, () => split),
        })),
    },
  });
  const transport = createRouterTransport((router) =>
    router.service(OrderService, orderService(parts)),
  );
  const page = await createClient(OrderService, transport).listOrders({ pageSize: 1_000 });
  expect([page.orders.length, page.orders[0]?.splits.length]).toEqual([1_000, 10]);
  const bytes = toBinary(ListOrdersResponseSchema, create(ListOrdersResponseSchema, page));
  expect(bytes.length).toBeLessThan(clientsDefault);
  expect(bytes.length, 'the builder makes wide ones').toBeGreaterThan(clientsDefault / 2);
});
