-- Up Migration

-- A cache: the executions of an account and instrument, 32 in a row each, with the position before
-- them, so that one row answers for any moment within it. Those of an account and instrument are a
-- gapless beginning; a late execution deletes the one that it falls into and all that follow. That takes
-- 2 ms for each thousand of them: one behind which 80 million executions of its instrument lie would not
-- be recorded within a statement's 5 s. Freeze what is that old.
create table position_segment (
  account         text collate "C" not null,
  instrument      text collate "C" not null,
  -- The key of its last execution.
  executed_time   timestamptz      not null,
  source          text collate "C" not null,
  source_id       text collate "C" not null,
  first_time      timestamptz      not null,
  -- Before it; the time is that of the execution before its first, if there is one.
  previous_time   timestamptz,
  execution_count bigint           not null,
  quantity        numeric          not null,
  cost            numeric          not null,
  realized_profit numeric          not null,
  fees            numeric          not null,
  traded_volume   numeric          not null,
  -- After its last execution, and after any of them.
  end_quantity    numeric          not null,
  high_quantity   numeric          not null,
  low_quantity    numeric          not null,
  -- What it adds to it.
  volume          numeric          not null,
  -- Times, quantities, prices and fees, as read_executions writes them. Some kilobytes at most: never
  -- compressed nor stored elsewhere.
  executions      text             not null,

  primary key (account, instrument, executed_time, source, source_id),

  constraint position_segment_numbers check (
    execution_count >= 0 and (execution_count > 0) = (previous_time is not null)
    and quantity > '-Infinity' and quantity < 'Infinity'
    and cost > '-Infinity' and cost < 'Infinity'
    and realized_profit > '-Infinity' and realized_profit < 'Infinity'
    and fees > '-Infinity' and fees < 'Infinity'
    and traded_volume >= 0 and traded_volume < 'Infinity'
    and volume > 0 and volume < 'Infinity'
    and low_quantity > '-Infinity' and high_quantity < 'Infinity'
    and low_quantity <= end_quantity and end_quantity <= high_quantity
  )
);
alter table position_segment alter column executions set storage plain;

-- Reads executions of an account and instrument in their order: those after a key up to and with a
-- time, `wanted` of them at most. Answers columns of text, null where there are none: the times (16
-- hexadecimal digits each: microseconds since 2000), the quantities, prices and fees (between blanks),
-- and the sources and source ids (between unit separators).
--
-- Over a long time its plan is made once for all: with a partition a month, planning takes longer than
-- reading. But such a plan locks all partitions there are, and Postgres has a fixed number of locks: up to
-- 3 months it is made for those that are read. Those before the first execution are left out, or it would
-- open the partitions of all years.
create function read_executions(
  of_account text, of_instrument text,
  after_time timestamptz, after_source text, after_source_id text,
  until timestamptz, wanted integer
) returns table (
  times text, quantities text, prices text, fees text, sources text, source_ids text
)
language plpgsql stable set plan_cache_mode = force_generic_plan as $$
begin
  if after_time = '-infinity' then
    select coalesce(min(executed_time), 'infinity') into after_time
    from position_change
    where account = of_account and instrument = of_instrument;
  end if;
  if least(until, now()) < after_time + interval '3 months' then
    perform set_config('plan_cache_mode', 'force_custom_plan', true);
  end if;
  return query
  select
    encode(string_agg(timestamptz_send(executed_time), ''), 'hex'),
    string_agg(trim_scale(quantity)::text, ' '),
    string_agg(trim_scale(price)::text, ' '),
    string_agg(trim_scale(fee)::text, ' '),
    string_agg(source, E'\x1f'),
    string_agg(source_id, E'\x1f')
  from (
    select executed_time, source, source_id, quantity, price, fee
    from execution
    where account = of_account and instrument = of_instrument
      and executed_time >= after_time and executed_time <= until
      and (executed_time, source, source_id) > (after_time, after_source, after_source_id)
    order by executed_time, source, source_id
    limit wanted
  ) as ordered;
end
$$;

-- Keeps segments of an account and instrument that follow on one another, and the first of them on the
-- segment whose key is the base (null: on none); `seen_through` is the account's and instrument's
-- highest log position that their executions were read with. Answers whether they are kept: not when
-- the base is gone, or something that belongs before their end has been recorded since.
create function save_position_segments(
  of_account text, of_instrument text, seen_through bigint,
  base_time timestamptz, base_source text, base_source_id text,
  executed_times timestamptz[], sources text[], source_ids text[], first_times timestamptz[],
  previous_times timestamptz[], execution_counts bigint[], quantities numeric[], costs numeric[], realized_profits numeric[],
  all_fees numeric[], traded_volumes numeric[], end_quantities numeric[], high_quantities numeric[],
  low_quantities numeric[], volumes numeric[], texts text[]
) returns boolean
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(72018101, position_lock(of_account, of_instrument));
  if base_time is not null and not exists (
    select from position_segment
    where account = of_account and instrument = of_instrument
      and (executed_time, source, source_id) = (base_time, base_source, base_source_id)
  ) then
    return false;
  end if;
  if exists (
    select from position_change
    where account = of_account and instrument = of_instrument and log_position > seen_through
      and (executed_time, source, source_id)
        < (executed_times[cardinality(executed_times)], sources[cardinality(sources)],
           source_ids[cardinality(source_ids)])
  ) then
    return false;
  end if;
  -- Somebody else may have kept the same ones, or some of them.
  select executed_time, source, source_id into base_time, base_source, base_source_id
  from position_segment
  where account = of_account and instrument = of_instrument
  order by executed_time desc, source desc, source_id desc
  limit 1;
  insert into position_segment
  select of_account, of_instrument, segment.* from unnest(
    executed_times, sources, source_ids, first_times, previous_times, execution_counts, quantities,
    costs, realized_profits, all_fees, traded_volumes, end_quantities, high_quantities, low_quantities,
    volumes, texts
  ) as segment (executed_time, source, source_id)
  where base_time is null
    or (executed_time, source, source_id) > (base_time, base_source, base_source_id);
  return true;
end
$$;

-- Throws away what is kept of an account and instrument from a time on.
create function drop_position_segments(of_account text, of_instrument text, since timestamptz)
returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(72018101, position_lock(of_account, of_instrument));
  delete from position_segment
  where account = of_account and instrument = of_instrument and executed_time >= since;
end
$$;

-- Down Migration

drop function drop_position_segments;
drop function save_position_segments;
drop function read_executions;
drop table position_segment;
