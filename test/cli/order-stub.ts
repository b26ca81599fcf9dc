import { create } from '@bufbuild/protobuf';
import type { ServiceImpl } from '@connectrpc/connect';
import type { Order } from '../../gen/tradewind/order/v1/order_pb.ts';
import {
  OrderSchema,
  OrderSide,
  OrderStatus,
  TimeInForce,
} from '../../gen/tradewind/order/v1/order_pb.ts';
import { OrderService } from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { timestampOf } from '../../src/rpc/messages.ts';
import { noon } from '../support/builders.ts';
import { runToEnd } from '../support/run-program.ts';
import type { ProgramResult } from '../support/run-program.ts';
import { startServiceStub } from './service-stub.ts';

/** A split of it, by the version that it made. */
export const split = (version: number, price: string, quantity: string) => ({
  version,
  price,
  quantity,
  updateId: BigInt(400_900_200 + version),
  time: timestampOf(noon + version * 1_000_000),
  displayedQuantity: '30',
  consumedAfter: quantity,
});

/** The order of the worked example, at its end unless said otherwise. */
export function anOrder(fields: Partial<Order> = {}): Order {
  return Object.assign(
    create(OrderSchema, {
      orderId: 'order-1',
      account: 'default',
      instrument: 'binance:BNBUSDT',
      side: OrderSide.SELL,
      quantity: '25',
      limitPrice: '42',
      timeInForce: TimeInForce.GTC,
      status: OrderStatus.FILLED,
      filledQuantity: '25',
      remainingQuantity: '0',
      filledNotional: '1060',
      averagePrice: '42.4',
      splits: [split(2, '42', '5'), split(3, '42.5', '20')],
      splitCount: 2,
      version: 3,
      acceptedTime: timestampOf(noon),
      updatedTime: timestampOf(noon),
    }),
    fields,
  );
}

/** The same order right after its acceptance. */
export const accepted = () =>
  anOrder({
    status: OrderStatus.OPEN,
    filledQuantity: '0',
    averagePrice: undefined,
    splits: [],
    splitCount: 0,
    version: 1,
  });

/** Runs `tradewind order …` against a server that answers as it is told to. */
export async function order(
  stub: Partial<ServiceImpl<typeof OrderService>>,
  args: readonly string[],
): Promise<ProgramResult> {
  await using server = await startServiceStub(OrderService, stub);
  return await runToEnd('cli', ['order', ...args, '--server', server.address]);
}
