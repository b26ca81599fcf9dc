-- Up Migration

-- The tables of Trade Tracker, names and columns as there: executions of its numeric instruments,
-- which are those of the exchange "external". Where several accounts have the same one, the last
-- column tells them apart. Sizes may have decimals; times are UTC.
-- (The condition is there twice because one on instrument_id may be looked at before that of the view.)
create view trades as
select
  row_number() over (order by recorded_at, executed_time, source, source_id, account, instrument) as id,
  recorded_at at time zone 'UTC'   as created_at,
  case when instrument ~ '^external:\d{1,18}$' then substr(instrument, 10)::bigint end
                                   as instrument_id,
  trim_scale(quantity)             as size,
  trim_scale(price)                as price,
  executed_time at time zone 'UTC' as "timestamp",
  account
from execution
where instrument ~ '^external:\d{1,18}$';

-- A row for each execution: what was held after it.
create view positions as
select
  row_number() over (order by account, instrument, executed_time, source, source_id) as id,
  recorded_at at time zone 'UTC'   as created_at,
  case when instrument ~ '^external:\d{1,18}$' then substr(instrument, 10)::bigint end
                                   as instrument_id,
  trim_scale(
    sum(quantity) over (
      partition by account, instrument order by executed_time, source, source_id
      rows unbounded preceding
    )
  )                                as size,
  executed_time at time zone 'UTC' as "timestamp",
  account
from execution
where instrument ~ '^external:\d{1,18}$';

-- Down Migration

drop view positions;
drop view trades;
