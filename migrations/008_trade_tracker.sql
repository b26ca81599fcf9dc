-- Up Migration

-- The tables of Trade Tracker, names and columns as there: executions of its numeric instruments,
-- which are those of the exchange "external". Where several accounts have the same one, the last
-- column tells them apart. Sizes may have decimals; times are UTC.

-- The id of such an instrument: a bigint as it is written, without zeros before it, or two instruments
-- would have one id. Null for all others.
create function trade_tracker_id(instrument text) returns bigint
language sql immutable parallel safe
return case
  when instrument ~ '^external:(0|[1-9]\d{0,18})$'
    and substr(instrument, 10)::numeric <= 9223372036854775807
  then substr(instrument, 10)::bigint
end;

create view trades as
select
  row_number() over (order by recorded_at, executed_time, source, source_id, account, instrument) as id,
  recorded_at at time zone 'UTC'   as created_at,
  trade_tracker_id(instrument)     as instrument_id,
  trim_scale(quantity)             as size,
  trim_scale(price)                as price,
  executed_time at time zone 'UTC' as "timestamp",
  account
from execution
where trade_tracker_id(instrument) is not null;

-- A row for each execution: what was held after it.
create view positions as
select
  row_number() over (order by account, instrument, executed_time, source, source_id) as id,
  recorded_at at time zone 'UTC'   as created_at,
  trade_tracker_id(instrument)     as instrument_id,
  trim_scale(
    sum(quantity) over (
      partition by account, instrument order by executed_time, source, source_id
      rows unbounded preceding
    )
  )                                as size,
  executed_time at time zone 'UTC' as "timestamp",
  account
from execution
where trade_tracker_id(instrument) is not null;

-- Down Migration

drop view positions;
drop view trades;
drop function trade_tracker_id;
