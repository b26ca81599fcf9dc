-- Up Migration

-- How wide the rows of "AggregatedData" are: one row, set by the persistor (AGGREGATOR_WINDOW).
create table aggregator_window (
  is_only boolean primary key default true,
  width   text    not null,

  constraint aggregator_window_is_only check (is_only),
  constraint aggregator_window_width check (
    width in ('1s', '1m', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d', '3d', '1w', '1M')
  )
);
insert into aggregator_window (width) values ('1m');

-- The table of MarketFlow, names and types as there: the candles of one width, from the one that
-- opens at "timestamp". What was not traded has no row. The average is null in a candle made from the
-- exchange's klines, which do not tell it.
create view "AggregatedData" as
select
  symbol                                       as pair_name,
  exchange,
  open_time                                    as "timestamp",
  (price_sum / trade_count)::double precision  as average_price,
  low::double precision                        as min_price,
  high::double precision                       as max_price
from candle
where timeframe = (select width from aggregator_window) and trade_count > 0;

-- Down Migration

drop view "AggregatedData";
drop table aggregator_window;
