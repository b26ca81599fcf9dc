import { Refusal } from '../../src/domain/refusal.ts';
import { InstrumentDirectory } from '../../src/rpc/instrument-directory.ts';
import type { OrderServiceParts } from '../../src/rpc/order/order-service.ts';

const notAsked = () => {
  throw new Refusal('unavailable', 'Nobody asks for this');
};

/** What an OrderService stands on, in charge of all instruments; a test says what it asks of them. */
export function orderServiceParts(
  asked: Partial<Omit<OrderServiceParts, 'desk' | 'orders'>> & {
    readonly desk?: Partial<OrderServiceParts['desk']>;
    readonly orders?: Partial<OrderServiceParts['orders']>;
  } = {},
): OrderServiceParts {
  return {
    halts: { halt: notAsked, resume: notAsked, list: notAsked },
    stream: { stream: notAsked },
    forwarding: { ask: notAsked },
    directory: new InstrumentDirectory([], 'binance'),
    hasQuantities: () => true,
    ...asked,
    desk: {
      ownerOf: () => ({ type: 'here' }),
      waitingFor: () => undefined,
      submit: notAsked,
      cancel: notAsked,
      cancelAll: notAsked,
      ...asked.desk,
    },
    orders: { list: notAsked, get: notAsked, openInstruments: notAsked, ...asked.orders },
  };
}
