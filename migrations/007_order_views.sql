-- Up Migration

-- The tables of the two trade executors, names and columns as there. They only sold: bought orders
-- are not shown. Ids are positions in the log, which never change. Where several exchanges have the
-- same symbol, the last column tells them apart.

-- Of trade_executor_tech_challenge: orders that were filled whole, at their limit price.
create view fulfilled_orders as
select
  accepted.log_position                                          as id,
  orders.updated_time                                            as created_at,
  substr(orders.instrument, strpos(orders.instrument, ':') + 1)  as symbol,
  orders.quantity::double precision                              as quantity,
  orders.limit_price::double precision                           as price,
  split_part(orders.instrument, ':', 1)                          as exchange
from orders
join order_event as accepted on accepted.order_id = orders.order_id and accepted.version = 1
where orders.status = 'filled' and orders.side = 'sell';

-- Of the same: how they were split.
create view fulfilled_order_splits as
select
  fill.log_position                     as id,
  accepted.log_position                 as order_id,
  fill.update_id,
  fill.quantity::double precision       as quantity,
  fill.price::double precision          as price,
  split_part(orders.instrument, ':', 1) as exchange
from orders
join order_event as accepted on accepted.order_id = orders.order_id and accepted.version = 1
join order_event as fill on fill.order_id = orders.order_id and fill.type = 'filled'
where orders.status = 'filled' and orders.side = 'sell';

-- Of trade_executor: every slice that was sold, also of orders that were never filled whole. A bid is
-- named by the update id of the book ticker that displayed it.
create view sell_order_books as
select
  fill.log_position                                              as id,
  orders.order_id                                                as sell_order_id,
  fill.update_id::text                                           as bid_id,
  substr(orders.instrument, strpos(orders.instrument, ':') + 1)  as symbol,
  fill.quantity::double precision                                as quantity,
  orders.limit_price::double precision                           as minimum_sell_price,
  fill.price::double precision                                   as bid_price,
  fill.event_time                                                as created_at,
  split_part(orders.instrument, ':', 1)                          as exchange
from orders
join order_event as fill on fill.order_id = orders.order_id and fill.type = 'filled'
where orders.side = 'sell';

-- Down Migration

drop view sell_order_books;
drop view fulfilled_order_splits;
drop view fulfilled_orders;
