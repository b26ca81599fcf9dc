import { formatDecimal } from '../../src/base/decimal.ts';
import type { Order } from '../../src/domain/order.ts';
import type { Database } from '../../src/store/database.ts';
import { formatTimestamp } from '../../src/store/timestamptz.ts';

/**
 * An acceptance stored the obvious way, in a transaction of its own: into the same tables, without
 * leases and halts, and without the promise that log positions follow the commits.
 */
export async function storeAlone(database: Database, order: Order): Promise<void> {
  const { orderId, account, clientOrderId = null, instrument, side } = order;
  const quantity = formatDecimal(order.quantity);
  const price = formatDecimal(order.limitPrice);
  const time = formatTimestamp(order.acceptedTime);
  const values = [orderId, account, clientOrderId, instrument, side, quantity, price, time];
  await database.transaction(async (sql) => {
    await sql.run({
      name: 'insertOrder',
      text: `insert into orders (order_id, account, client_order_id, instrument, shard, side, quantity,
          limit_price, time_in_force, accepted_time, updated_time)
        values ($1, $2, $3, $4, 0, $5, $6, $7, 'GTC', $8, $8)`,
      values,
    });
    await sql.run({
      name: 'insertEvent',
      text: `insert into order_event (log_position, order_id, version, type, event_time, account,
          client_order_id, instrument, side, quantity, limit_price, time_in_force, filled_quantity,
          filled_notional, epoch)
        values (nextval('log_position'), $1, 1, 'accepted', $8, $2, $3, $4, $5, $6, $7, 'GTC', 0, 0, 1)`,
      values,
    });
  });
}
