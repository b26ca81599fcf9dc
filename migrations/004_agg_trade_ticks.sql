-- Up Migration

-- The table of binance-trading-chart-service, names and types as there: one-minute candles. Where
-- several exchanges have the same symbol, the last column tells them apart.
create view agg_trade_ticks as
select
  symbol,
  open_time                as "timestamp",
  open::double precision   as open,
  high::double precision   as high,
  low::double precision    as low,
  close::double precision  as close,
  volume::double precision as volume,
  exchange
from candle
where timeframe = '1m';

-- Down Migration

drop view agg_trade_ticks;
