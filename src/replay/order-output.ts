import type { Order as OrderMessage } from '../../gen/tradewind/order/v1/order_pb.ts';
import { csvLine } from '../cli/csv.ts';
import type { Field } from '../cli/csv.ts';
import { orderSummary } from '../cli/order/order-printer.ts';
import { formatTime } from '../cli/rfc3339.ts';
import { divideHalfEven, formatDecimal, formatProduct } from '../base/decimal.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import { remainingQuantity } from '../domain/order.ts';
import type { Order, Split } from '../domain/order.ts';
import { orderToJson, splitOrderToMessage } from '../rpc/order/order-messages.ts';
import { waitingFields } from '../rpc/order/order-waiting.ts';
import type { ReplayedOrder } from './instrument-orders.ts';

/** The ways in which the orders of a replay can be printed, by format. */
export const orderFormats = {
  *table(orders: readonly ReplayedOrder[]): Iterable<string> {
    for (const [index, order] of orders.entries()) {
      if (index > 0) yield '';
      yield* orderSummary(shown(order));
    }
  },

  /** A line each, as the service shows it. */
  *json(orders: readonly ReplayedOrder[]): Iterable<string> {
    for (const order of orders) yield orderToJson(shown(order));
  },

  /** A line for each split; one without a split has one, too. */
  *csv(orders: readonly ReplayedOrder[]): Iterable<string> {
    yield csvLine([...Object.keys(orderColumns), ...Object.keys(splitColumns)]);
    for (const { order, splits } of orders) {
      const cells = Object.values(orderColumns).map((column) => column(order));
      for (const split of splits.length === 0 ? [undefined] : splits) {
        yield csvLine([
          ...cells,
          ...Object.values(splitColumns).map((column) => split && column(split)),
        ]);
      }
    }
  },
};

function shown({ order, splits, waiting }: ReplayedOrder): OrderMessage {
  const message = splitOrderToMessage({ ...order, splits });
  return Object.assign(message, waitingFields(waiting));
}

const orderColumns: Readonly<Record<string, (order: Order) => Field>> = {
  order_id: ({ orderId }) => orderId,
  exchange: ({ instrument }) => splitInstrumentName(instrument).exchange,
  symbol: ({ instrument }) => splitInstrumentName(instrument).symbol,
  side: ({ side }) => side,
  quantity: ({ quantity }) => formatDecimal(quantity),
  limit_price: ({ limitPrice }) => formatDecimal(limitPrice),
  time_in_force: ({ timeInForce }) => timeInForce,
  accepted_time: ({ acceptedTime }) => formatTime(acceptedTime),
  status: ({ status }) => status,
  filled_quantity: ({ filledQuantity }) => formatDecimal(filledQuantity),
  remaining_quantity: (order) => formatDecimal(remainingQuantity(order)),
  filled_notional: ({ filledNotional }) => formatProduct(filledNotional),
  average_price: ({ filledNotional, filledQuantity }) =>
    filledQuantity === 0n
      ? undefined
      : formatDecimal(divideHalfEven(filledNotional, filledQuantity)),
};

const splitColumns: Readonly<Record<string, (split: Split) => Field>> = {
  split_time: ({ time }) => formatTime(time),
  split_price: ({ price }) => formatDecimal(price),
  split_quantity: ({ quantity }) => formatDecimal(quantity),
  update_id: ({ updateId }) => updateId,
  displayed_quantity: ({ displayedQuantity }) => formatDecimal(displayedQuantity),
  consumed_after: ({ consumedAfter }) => formatDecimal(consumedAfter),
};
