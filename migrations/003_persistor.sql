-- Up Migration

-- How far each persistor has stored the server's stream: written with every batch, in its transaction.
create table persistor_cursor (
  name       text        primary key,
  cursor     text        not null,
  updated_at timestamptz not null default now()
);

-- The servers' lives that have stored candles. A new life must have a higher number than all of
-- them, and the largest one cannot be asked of all candles.
create table candle_run (
  run         bigint      primary key,
  recorded_at timestamptz not null default now(),

  constraint candle_run_positive check (run > 0)
);

-- Down Migration

drop table candle_run;
drop table persistor_cursor;
