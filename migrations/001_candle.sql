-- Up Migration

-- Closed candles: one row each, replaced only by a better version (trade_count, run, revision).
-- Partitioned by timeframe, then by open_time: 1s by day, all others by month. There is no default
-- partition: the store attaches each partition before it is needed.
create table candle (
  exchange               text           not null,
  symbol                 text           not null,
  timeframe              text           not null,
  open_time              timestamptz    not null,
  -- The first instant after the candle.
  close_time             timestamptz    not null,
  open                   numeric(38,18) not null,
  high                   numeric(38,18) not null,
  low                    numeric(38,18) not null,
  close                  numeric(38,18) not null,
  -- Sums are exact, however large they grow: at most 18 decimals, quote volumes 36.
  volume                 numeric        not null,
  quote_volume           numeric        not null,
  taker_buy_volume       numeric        not null,
  taker_buy_quote_volume numeric        not null,
  -- Null where the source is klines: the exchange does not tell it.
  price_sum              numeric,
  -- Single trades; 0 in a flat candle, which has no ids; nor has one made from klines.
  trade_count            bigint         not null,
  first_trade_id         bigint,
  last_trade_id          bigint,
  -- No trade is known to be missing from what was observed.
  complete               boolean        not null,
  -- Observation began after the candle's open or ended before its end.
  partial                boolean        not null,
  revision               integer        not null,
  -- The server's life that made this version: its start in microseconds since 1970.
  run                    bigint         not null,
  source                 text           not null,
  recorded_at            timestamptz    not null default now(),

  primary key (exchange, symbol, timeframe, open_time),

  constraint candle_exchange check (octet_length(exchange) between 1 and 32),
  -- An indexed text beyond 2,704 bytes cannot be stored at all.
  constraint candle_symbol check (octet_length(symbol) between 1 and 64),
  constraint candle_times check (open_time < close_time and isfinite(open_time) and isfinite(close_time)),
  -- NaN sorts above everything, Infinity included: whatever is below Infinity is a number. That low
  -- and high enclose open and close carries both bounds over to them.
  constraint candle_prices check (
    low > 0 and high < 'Infinity' and low <= least(open, close) and high >= greatest(open, close)
  ),
  constraint candle_sums check (
    volume >= 0 and volume < 'Infinity'
    and quote_volume >= 0 and quote_volume < 'Infinity'
    and taker_buy_volume >= 0 and taker_buy_volume <= volume
    and taker_buy_quote_volume >= 0 and taker_buy_quote_volume <= quote_volume
    and price_sum >= 0 and price_sum < 'Infinity'
  ),
  constraint candle_counts check (trade_count >= 0 and revision >= 1 and run > 0),
  constraint candle_trade_ids check (
    (first_trade_id is null) = (last_trade_id is null) and first_trade_id <= last_trade_id
  ),
  constraint candle_source check (source in ('trades', 'klines'))
) partition by list (timeframe);

-- 1m is a minute and 1M a month; as table names are written in lower case, the month is 1mo.
create table candle_1s  partition of candle for values in ('1s')  partition by range (open_time);
create table candle_1m  partition of candle for values in ('1m')  partition by range (open_time);
create table candle_3m  partition of candle for values in ('3m')  partition by range (open_time);
create table candle_5m  partition of candle for values in ('5m')  partition by range (open_time);
create table candle_15m partition of candle for values in ('15m') partition by range (open_time);
create table candle_30m partition of candle for values in ('30m') partition by range (open_time);
create table candle_1h  partition of candle for values in ('1h')  partition by range (open_time);
create table candle_2h  partition of candle for values in ('2h')  partition by range (open_time);
create table candle_4h  partition of candle for values in ('4h')  partition by range (open_time);
create table candle_6h  partition of candle for values in ('6h')  partition by range (open_time);
create table candle_8h  partition of candle for values in ('8h')  partition by range (open_time);
create table candle_12h partition of candle for values in ('12h') partition by range (open_time);
create table candle_1d  partition of candle for values in ('1d')  partition by range (open_time);
create table candle_3d  partition of candle for values in ('3d')  partition by range (open_time);
create table candle_1w  partition of candle for values in ('1w')  partition by range (open_time);
create table candle_1mo partition of candle for values in ('1M')  partition by range (open_time);

-- Down Migration

drop table candle;
