import { expect } from 'vitest';
import type { Database } from '../../src/store/database.ts';

type Row = Readonly<Record<string, string>>;

/** What must be true of any log of orders; all of it is asked of Postgres itself. */
export async function expectSoundLog(database: Database): Promise<void> {
  const ask = (text: string) => database.run((sql) => sql.text<Row>(text));
  const nothing = async (what: string, text: string) => expect(await ask(text), what).toEqual([]);
  await nothing(
    'versions without a hole',
    `select order_id from order_event group by order_id
     having min(version) <> 1 or max(version) <> count(*)`,
  );
  await nothing(
    'one acceptance each, and nothing after the end',
    `select order_id from order_event group by order_id
     having count(*) filter (where type = 'accepted') <> 1
       or count(*) filter (where type in ('canceled', 'expired')) > 1`,
  );
  await nothing(
    'fills that add up to what the order shows, and to no more than it is of',
    `select o.order_id from orders o left join order_event e on e.order_id = o.order_id and e.type = 'filled'
     group by o.order_id, o.quantity, o.filled_quantity
     having coalesce(sum(e.quantity), 0) <> o.filled_quantity or coalesce(sum(e.quantity), 0) > o.quantity`,
  );
  await nothing(
    'no fill worse than the limit',
    `select e.order_id from order_event e join orders o on o.order_id = e.order_id
     where e.type = 'filled'
       and case o.side when 'sell' then e.price < o.limit_price else e.price > o.limit_price end`,
  );
  await nothing(
    'an execution for each fill, and no other',
    `select e.order_id, x.source_id
     from (select * from order_event where type = 'filled') e
     full join execution x on x.source_id = e.order_id || ':' || lpad(e.version::text, 10, '0')
     where e.order_id is null or x.source_id is null or x.price <> e.price
       or abs(x.quantity) <> e.quantity or x.executed_time <> e.event_time`,
  );
}
