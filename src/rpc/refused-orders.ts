import type { ServiceImpl } from '@connectrpc/connect';
import type { OrderService } from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { Refusal } from '../domain/refusal.ts';

/** OrderService of a server that keeps no orders: every RPC is UNAVAILABLE, with the reason. */
export function refusedOrders(reason: string): ServiceImpl<typeof OrderService> {
  const refuse = (): never => {
    throw new Refusal('unavailable', reason);
  };
  return {
    submitLimitOrder: refuse,
    cancelOrder: refuse,
    cancelAllOrders: refuse,
    getOrder: refuse,
    listOrders: refuse,
    streamOrderEvents: refuse,
    haltTrading: refuse,
    resumeTrading: refuse,
  };
}
