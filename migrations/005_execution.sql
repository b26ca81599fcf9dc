-- Up Migration

-- Positions in the log of everything that changed, whatever it is: orders, executions.
create sequence log_position;

-- Draws `wanted` consecutive log positions and answers the first one. They follow commit order, so
-- that whoever reads on from the highest one it saw misses none: the lock is held to the commit. For
-- the same reason all others wait behind it: draw last, then insert little and commit.
create function draw_log_positions(wanted integer) returns bigint
language plpgsql as $$
declare
  first bigint;
begin
  perform pg_advisory_xact_lock(7201810002);
  first := nextval('log_position');
  if wanted > 1 then
    perform setval('log_position', first + wanted - 1);
  end if;
  return first;
end
$$;

create function refuse_change() returns trigger
language plpgsql as $$
begin
  raise exception '% is append-only: % is refused', tg_table_name, lower(tg_op)
    using errcode = 'restrict_violation',
      hint = 'What is wrong is corrected by a reversal and a replacement.';
end
$$;

-- Every change of a position: a fill of ours, or a trade booked from outside. Its order among those
-- of its account and instrument is that of the primary key, by bytes. Partitioned by month, made on
-- demand by record_executions; there is no default partition.
create table execution (
  account       text collate "C" not null,
  instrument    text collate "C" not null,
  -- When it happened; where that was frozen when it came, the first moment that was not.
  executed_time timestamptz      not null,
  source        text collate "C" not null,
  source_id     text collate "C" not null,
  -- Bought is positive, sold negative.
  quantity      numeric(38,18)   not null,
  price         numeric(38,18)   not null,
  fee           numeric(38,18)   not null,
  -- When it truly happened, where that is not executed_time.
  decided_time  timestamptz,
  -- The source_id of what it corrects, of the same account and source.
  corrects      text collate "C",
  recorded_at   timestamptz      not null default now(),

  primary key (account, instrument, executed_time, source, source_id),

  -- An indexed text beyond 2,704 bytes cannot be stored at all.
  constraint execution_account check (octet_length(account) between 1 and 64),
  constraint execution_instrument check (
    octet_length(instrument) between 3 and 97 and strpos(instrument, ':') > 1
  ),
  -- The unit separator is what read_executions puts between them.
  constraint execution_source check (
    octet_length(source) between 1 and 32 and strpos(source, E'\x1f') = 0
  ),
  constraint execution_source_id check (
    octet_length(source_id) between 1 and 128 and strpos(source_id, E'\x1f') = 0
  ),
  constraint execution_corrects check (octet_length(corrects) between 1 and 128),
  -- At most 15 digits before the point. NaN sorts above everything, Infinity included.
  constraint execution_quantity check (quantity <> 0 and abs(quantity) < 1e15),
  constraint execution_price check (price > 0 and price < 1e15),
  constraint execution_fee check (abs(fee) < 1e15),
  constraint execution_times check (
    executed_time >= 'epoch' and isfinite(executed_time) and decided_time < executed_time
  )
) partition by range (executed_time);

-- Makes (account, source, source_id) unique for ever, which a partitioned table cannot.
create table execution_key (
  -- 128 bits of the SHA-256 of account, source and source_id.
  key_hash  bytea primary key,
  -- The same of everything else that was asked for: another one is a conflict, this one a duplicate.
  body_hash bytea not null,

  constraint execution_key_hashes check (octet_length(key_hash) = 16 and octet_length(body_hash) = 16)
);

create trigger append_only before update or delete or truncate on execution
  for each statement execute function refuse_change();
create trigger append_only before update or delete or truncate on execution_key
  for each statement execute function refuse_change();

-- What each recorded batch changed: a row for each account and instrument.
create table position_change (
  log_position    bigint           primary key,
  account         text collate "C" not null,
  instrument      text collate "C" not null,
  -- The earliest of its executions: the position has changed from there on.
  executed_time   timestamptz      not null,
  source          text collate "C" not null,
  source_id       text collate "C" not null,
  execution_count integer          not null,
  recorded_at     timestamptz      not null default now()
);
create index position_change_instrument on position_change (account, instrument, log_position);
-- For the first of its executions.
create index position_change_time on position_change (account, instrument, executed_time);
create trigger append_only before update or delete or truncate on position_change
  for each statement execute function refuse_change();

-- Periods that accept nothing more: everything that happened up to and with `until`.
create table position_freeze (
  freeze_id   bigint           generated always as identity primary key,
  -- Null: all of them.
  account     text collate "C",
  instrument  text collate "C",
  until       timestamptz      not null,
  recorded_at timestamptz      not null default now(),

  constraint position_freeze_account check (octet_length(account) between 1 and 64),
  constraint position_freeze_instrument check (octet_length(instrument) between 3 and 97),
  constraint position_freeze_until check (until >= 'epoch' and until <= recorded_at - interval '1 minute')
);
create index position_freeze_until_index on position_freeze (until);
create trigger append_only before update or delete or truncate on position_freeze
  for each statement execute function refuse_change();

-- Writers of an account and instrument share a lock, who checkpoints has it alone. It is one of 256,
-- because each is held to the end of a transaction and Postgres has room for some thousands.
create function position_lock(account text, instrument text) returns integer
language sql immutable parallel safe
return hashtextextended(account || ' ' || instrument, 0) & 255;

-- Makes the partition that executions of this time belong to, unless it is there. Made beside the
-- table and then attached: `partition of` would lock out every reader and writer of all of it.
create function attach_execution_partition(executed_time timestamptz) returns void
language plpgsql as $$
declare
  month timestamp := date_trunc('month', executed_time at time zone 'UTC');
  name  text := 'execution_' || to_char(month, 'YYYYMM');
begin
  if name is null or to_regclass(name) is not null then
    return;
  end if;
  perform pg_advisory_xact_lock(7201810004);
  -- Not by to_regclass: it remembers what it found before the lock.
  if exists (
    select from pg_class where relname = name and relnamespace = current_schema()::regnamespace
  ) then
    return;
  end if;
  execute format('create table %I (like execution including all)', name);
  execute format(
    'create trigger append_only before update or delete or truncate on %I
       for each statement execute function refuse_change()', name);
  execute format(
    'alter table execution attach partition %I for values from (%L) to (%L)',
    name, month at time zone 'UTC', (month + interval '1 month') at time zone 'UTC');
end
$$;

-- The first 128 bits of SHA-256. No text holds a NUL: between two of them it leaves no doubt.
-- (Stable, as convert_to is: otherwise they would not be inlined.)
create function execution_key_hash(account text, source text, source_id text) returns bytea
language sql stable parallel safe
return substr(sha256(
  convert_to(account, 'UTF8') || '\x00' || convert_to(source, 'UTF8') || '\x00'
  || convert_to(source_id, 'UTF8')
), 1, 16);

create function execution_body_hash(
  instrument text, quantity numeric, price numeric, fee numeric, executed_time timestamptz, corrects text
) returns bytea
language sql stable parallel safe
return substr(sha256(
  convert_to(instrument, 'UTF8') || '\x00'
  || numeric_send(quantity::numeric(38,18)) || numeric_send(price::numeric(38,18))
  || numeric_send(fee::numeric(38,18)) || timestamptz_send(executed_time)
  || coalesce(convert_to(corrects, 'UTF8'), '\x00')
), 1, 16);

-- Records executions: each array is a column, all equally long. Answers a row for each one that was
-- not recorded, by its number from 1: it is a `duplicate` of what is recorded, a `conflict` with it
-- (its key is taken by other contents), `frozen` (by which freeze), or `tooFarAhead` (more than 10
-- minutes after now: clocks that differ more are wrong, and so are time zones mixed up).
--
-- Our own fills (source order) are always recorded: where their time is frozen, right after it.
--
-- What is kept of positions after a late one (position_segment) goes with it.
--
-- To be called in read committed only: what was committed while it waited for its locks must be seen.
create function record_executions(
  accounts text[], instruments text[], sources text[], source_ids text[],
  quantities numeric[], prices numeric[], fees numeric[],
  executed_times timestamptz[], corrections text[]
) returns table (number integer, outcome text, freeze_id bigint)
language plpgsql as $$
#variable_conflict use_column
declare
  -- The times to book at, null for what is refused.
  booked_times   timestamptz[] := executed_times;
  freeze_ids     bigint[];
  earliest       timestamptz;
  latest         timestamptz;
  recorded       integer[];
  changes        position_change[];
  change         position_change;
  first_position bigint;
begin
  -- Whoever freezes has the first one alone, whoever checkpoints one of the others.
  perform pg_advisory_xact_lock_shared(7201810003);
  perform pg_advisory_xact_lock_shared(72018101, lock)
  from (
    select distinct position_lock(account, instrument) as lock
    from (
      select distinct account, instrument
      from unnest(accounts, instruments) as input (account, instrument)
    ) as names
    order by lock
  ) as locks;

  select min(executed_time), max(executed_time) into earliest, latest
  from unnest(executed_times) as input (executed_time);
  if earliest <= (select max(until) from position_freeze)
    or latest > now() + interval '10 minutes'
  then
    select
      array_agg(case
        when source = 'order' then greatest(executed_time, frozen.until + interval '1 microsecond')
        when frozen.until is null and executed_time <= now() + interval '10 minutes' then executed_time
      end order by number),
      array_agg(frozen.freeze_id order by number)
    into booked_times, freeze_ids
    from unnest(accounts, instruments, sources, executed_times) with ordinality
      as input (account, instrument, source, executed_time, number)
    left join lateral (
      select freeze_id, until from position_freeze
      where until >= input.executed_time
        and (position_freeze.account is null or position_freeze.account = input.account)
        and (position_freeze.instrument is null or position_freeze.instrument = input.instrument)
      order by until desc
      limit 1
    ) as frozen on true;
  end if;

  -- Mostly they are all of one month.
  select min(booked_time), max(booked_time) into earliest, latest
  from unnest(booked_times) as booked (booked_time);
  perform attach_execution_partition(earliest);
  if date_trunc('month', earliest, 'UTC') < date_trunc('month', latest, 'UTC') then
    perform attach_execution_partition(month)
    from (
      select distinct date_trunc('month', booked_time, 'UTC') as month
      from unnest(booked_times) as booked (booked_time)
      where booked_time is not null
      order by month
    ) as months;
  end if;

  -- Mostly all of them are new. Where one is not, this fails at the first one; it costs half of what
  -- `on conflict` does.
  begin
    insert into execution_key (key_hash, body_hash)
    select
      execution_key_hash(account, source, source_id) as key_hash,
      execution_body_hash(instrument, quantity, price, fee, executed_time, corrects)
    from unnest(
      accounts, instruments, sources, source_ids, quantities, prices, fees, executed_times, corrections,
      booked_times
    ) as input (
      account, instrument, source, source_id, quantity, price, fee, executed_time, corrects, booked_time
    )
    where booked_time is not null
    -- In one order, so that two batches with the same keys do not wait for each other both ways.
    order by key_hash;
    recorded := array(
      select number::integer
      from unnest(booked_times) with ordinality as booked (booked_time, number)
      where booked_time is not null
    );
  exception when unique_violation then
    with candidate as materialized (
      select distinct on (key_hash) *
      from (
        select
          number,
          execution_key_hash(account, source, source_id) as key_hash,
          execution_body_hash(instrument, quantity, price, fee, executed_time, corrects) as body_hash
        from unnest(
          accounts, instruments, sources, source_ids, quantities, prices, fees, executed_times,
          corrections, booked_times
        ) with ordinality as input (
          account, instrument, source, source_id, quantity, price, fee, executed_time,
          corrects, booked_time, number
        )
        where booked_time is not null
      ) as hashed
      order by key_hash, number
    ), new_key as (
      insert into execution_key (key_hash, body_hash)
      select key_hash, body_hash from candidate
      on conflict do nothing
      returning key_hash
    )
    select coalesce(array_agg(number::integer order by number), '{}')
    into recorded
    from candidate join new_key using (key_hash);
  end;

  with new_execution as (
    insert into execution (
      account, instrument, executed_time, source, source_id, quantity, price, fee, decided_time, corrects
    )
    select
      account, instrument, booked_time, source, source_id, quantity, price, fee,
      nullif(executed_time, booked_time), corrects
    from unnest(
      accounts, instruments, sources, source_ids, quantities, prices, fees, executed_times, corrections,
      booked_times
    ) with ordinality as input (
      account, instrument, source, source_id, quantity, price, fee, executed_time, corrects,
      booked_time, number
    )
    where cardinality(recorded) = cardinality(accounts)
      or number in (select unnest(recorded))
    returning account, instrument, executed_time, source, source_id
  ), change as (
    select distinct on (account, instrument)
      account, instrument, executed_time, source, source_id,
      count(*) over (partition by account, instrument)::integer as execution_count
    from new_execution
    order by account, instrument, executed_time, source, source_id
  )
  select array_agg(
    row(0, account, instrument, executed_time, source, source_id, execution_count, now())::position_change
    order by account, instrument
  )
  into changes
  from change;

  if cardinality(recorded) < cardinality(accounts) then
    -- A new statement sees what was recorded by this call, and by others while it waited for them.
    return query
    select
      number::integer,
      case
        when key.body_hash is null and freeze_ids[number] is null then 'tooFarAhead'
        when key.body_hash is null then 'frozen'
        when key.body_hash
          = execution_body_hash(instrument, quantity, price, fee, executed_time, corrects)
          then 'duplicate'
        else 'conflict'
      end,
      case when key.body_hash is null then freeze_ids[number] end
    from unnest(
      accounts, instruments, sources, source_ids, quantities, prices, fees, executed_times, corrections
    ) with ordinality as input (
      account, instrument, source, source_id, quantity, price, fee, executed_time, corrects, number
    )
    left join lateral (
      select body_hash from execution_key
      where key_hash = execution_key_hash(input.account, input.source, input.source_id)
      limit 1
    ) as key on true
    where not exists (select from unnest(recorded) as done (number) where done.number = input.number);
  end if;

  if changes is not null then
    -- In their order, so that two batches that come late do not wait for each other both ways.
    foreach change in array changes loop
      delete from position_segment
      where account = change.account and instrument = change.instrument
        and (executed_time, source, source_id) > (change.executed_time, change.source, change.source_id);
    end loop;
    perform pg_notify('position_change', '');
    first_position := draw_log_positions(cardinality(changes));
    insert into position_change
    select
      first_position + number - 1, account, instrument, executed_time, source, source_id,
      execution_count, recorded_at
    from unnest(changes) with ordinality as changed (
      log_position, account, instrument, executed_time, source, source_id, execution_count,
      recorded_at, number
    );
  end if;
end
$$;

-- Freezes everything that happened up to and with `until`, of an account, an instrument or (null) all
-- of them, and answers the freeze. Who writes is waited for. Refused with `position_freeze_until` when
-- that is less than a minute ago by the database's clock.
create function freeze_positions(account text, instrument text, until timestamptz)
returns setof position_freeze
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7201810003);
  return query
  insert into position_freeze (account, instrument, until)
  values (freeze_positions.account, freeze_positions.instrument, freeze_positions.until)
  returning *;
end
$$;

-- Down Migration

drop function freeze_positions;
drop function record_executions;
drop function execution_body_hash;
drop function execution_key_hash;
drop function attach_execution_partition;
drop function position_lock;
drop table position_freeze;
drop table position_change;
drop table execution_key;
drop table execution;
drop function refuse_change;
drop function draw_log_positions;
drop sequence log_position;
