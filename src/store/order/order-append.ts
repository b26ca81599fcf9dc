import pg from 'pg';
import type { Order } from '../../domain/order.ts';
import type { AppendOutcome, AppendRefusal, OrderBatch } from '../../order/order-log.ts';
import { plainColumn, textColumn } from '../column.ts';
import type { Database, Sql } from '../database.ts';
import { eventColumns } from './order-event-row.ts';
import { orderColumnsOf, orderFromRow } from './order-row.ts';
import type { StoredOrder } from './order-row.ts';

const parameters = Array.from({ length: 24 }, (_, index) => `$${index + 1}`).join(', ');
const appendEvents = `
  select to_json(refusals) as refusals, to_json(left_out) as left_out
  from append_order_events(${parameters})`;

type Appended = {
  /** Of each batch; all are null, or nothing is stored. */
  readonly refusals: readonly (Extract<AppendRefusal, 'leaseLost' | 'haltsChanged'> | null)[];
  /** The numbers, from 1, of acceptances whose client order id was taken. */
  readonly left_out: readonly number[] | null;
};

/**
 * Appends the batches of several shards in one statement.
 * @returns the outcome of each; undefined for one that is not stored because another one was refused:
 * it is to be appended again
 * @throws what Postgres says; where it finds fault with the events, nothing is stored
 */
export async function appendBatches(
  database: Database,
  batches: readonly OrderBatch[],
): Promise<readonly (AppendOutcome | undefined)[]> {
  const leases = batches.map(({ lease }) => lease);
  const events = batches.flatMap((batch) => batch.events);
  const values = [
    plainColumn(leases.map(({ shard }) => String(shard))),
    textColumn(leases.map(({ owner }) => owner)),
    plainColumn(leases.map(({ epoch }) => String(epoch))),
    plainColumn(batches.map(({ haltRevision }) => String(haltRevision))),
    plainColumn(batches.flatMap((batch, index) => batch.events.map(() => String(index + 1)))),
    ...eventColumns(events),
  ];
  return await database.run(async (sql) => {
    const [answer] = await sql.text<Appended>(appendEvents, values);
    if (answer === undefined) throw new Error('Expected an answer to an append, got none');
    const { refusals, left_out } = answer;
    if (refusals.some((reason) => reason !== null)) {
      return refusals.map((reason) => (reason === null ? undefined : { type: 'refused', reason }));
    }
    const leftOut = (left_out ?? []).map((number) => events[number - 1]?.order);
    const duplicates = await readDuplicates(sql, leftOut).catch((cause: unknown) => {
      // It must not look like a fault of the append: that is committed.
      throw new Error('The orders that have the client order ids cannot be read', { cause });
    });
    return batches.map((batch) => ({
      type: 'committed',
      duplicates: new Map(
        batch.events.flatMap(({ order: { orderId } }) => {
          const other = duplicates.get(orderId);
          return other === undefined ? [] : [[orderId, other] as const];
        }),
      ),
    }));
  });
}

/** The orders that have the client order ids of what was left out, by the order ids left out. */
async function readDuplicates(
  sql: Sql,
  leftOut: readonly (Order | undefined)[],
): Promise<ReadonlyMap<string, Order>> {
  const duplicates = new Map<string, Order>();
  for (const order of leftOut) {
    if (order?.clientOrderId === undefined) continue;
    const [row] = await sql.text<StoredOrder>(
      `select ${orderColumnsOf('o')} from orders o where account = $1 and client_order_id = $2`,
      [order.account, order.clientOrderId],
    );
    if (row !== undefined) duplicates.set(order.orderId, orderFromRow(row));
  }
  return duplicates;
}

/** Whether an append met that it was decided on something else than what is stored. */
export function isOutOfStep(error: unknown): boolean {
  if (!(error instanceof pg.DatabaseError)) return false;
  const { code, constraint = '' } = error;
  // The keys: an acceptance, or an event of the version, is stored already.
  const keys = ['orders_pkey', 'order_event_order_id_version_key'];
  return code === 'TW001' || (code === '23505' && keys.includes(constraint));
}
