-- Up Migration

-- Limit orders as they are now: what their events make of them, written with each event. Never
-- deleted: a client_order_id is taken for ever.
create table orders (
  order_id        text collate "C" primary key,
  account         text collate "C" not null,
  client_order_id text collate "C",
  instrument      text collate "C" not null,
  -- Of the instrument: whoever has its lease decides what happens to the order.
  shard           smallint         not null,
  side            text             not null,
  quantity        numeric(38,18)   not null,
  limit_price     numeric(38,18)   not null,
  time_in_force   text             not null,
  expire_time     timestamptz,
  accepted_time   timestamptz      not null,
  -- From here on it changes: with each event the version rises by one.
  version         integer          not null default 1,
  status          text             not null default 'open',
  cancel_reason   text,
  filled_quantity numeric(38,18)   not null default 0,
  -- Exact: at most 36 decimals.
  filled_notional numeric          not null default 0,
  updated_time    timestamptz      not null,

  unique (account, client_order_id),

  constraint orders_ids check (
    octet_length(order_id) between 1 and 64 and octet_length(account) between 1 and 64
    and octet_length(client_order_id) between 1 and 64
  ),
  constraint orders_instrument check (
    octet_length(instrument) between 3 and 97 and strpos(instrument, ':') > 1
  ),
  constraint orders_side check (side in ('buy', 'sell')),
  -- At most 15 digits before the point. NaN sorts above everything, Infinity included.
  constraint orders_sizes check (
    quantity > 0 and quantity < 1e15 and limit_price > 0 and limit_price < 1e15
  ),
  constraint orders_times check (
    isfinite(accepted_time) and isfinite(updated_time) and isfinite(expire_time)
  ),
  constraint orders_time_in_force check (
    case time_in_force
      when 'GTD' then expire_time is not null
      else time_in_force in ('GTC', 'IOC', 'FOK') and expire_time is null
    end
  ),
  -- No order is filled beyond its quantity, and each status means what it says.
  constraint orders_filled_quantity check (
    filled_quantity >= 0 and filled_quantity <= quantity
    and case status
      when 'open' then filled_quantity = 0
      when 'partiallyFilled' then filled_quantity > 0 and filled_quantity < quantity
      when 'filled' then filled_quantity = quantity
      else filled_quantity < quantity
    end
  ),
  -- None is filled at a worse price than its limit.
  constraint orders_filled_notional check (
    filled_notional >= 0 and filled_notional < 'Infinity'
    and case side
      when 'sell' then filled_notional >= filled_quantity * limit_price
      else filled_notional <= filled_quantity * limit_price
    end
  ),
  constraint orders_status check (
    status in ('open', 'partiallyFilled', 'filled', 'canceled', 'expired')
    and (status = 'canceled') = (cancel_reason is not null)
    and (status <> 'expired' or time_in_force = 'GTD')
  ),
  constraint orders_cancel_reason check (
    cancel_reason in ('requested', 'noMarket', 'notFilledAtOnce', 'notCovered')
  ),
  constraint orders_version check (version >= 1)
) with (fillfactor = 80);

create index orders_account on orders (account, accepted_time, order_id);
create index orders_account_instrument on orders (account, instrument, accepted_time, order_id);
create index orders_open_shard on orders (shard) where status in ('open', 'partiallyFilled');
create index orders_open_account on orders (account, instrument)
  where status in ('open', 'partiallyFilled');

create function refuse_removal() returns trigger
language plpgsql as $$
begin
  raise exception '% keeps everything: % is refused', tg_table_name, lower(tg_op)
    using errcode = 'restrict_violation';
end
$$;
create trigger never_removed before delete or truncate on orders
  for each statement execute function refuse_removal();

-- What happened to orders: the log. `orders` and `consumed_level` follow from it.
create table order_event (
  log_position       bigint           primary key,
  order_id           text collate "C" not null,
  -- 1 for the first event of an order, one more with each.
  version            integer          not null,
  type               text             not null,
  event_time         timestamptz      not null,

  -- Of accepted: what was asked for, with quantity below.
  account            text collate "C",
  client_order_id    text collate "C",
  instrument         text collate "C",
  side               text,
  limit_price        numeric(38,18),
  time_in_force      text,
  expire_time        timestamptz,

  -- Of filled: against which displayed level, and how much of that all orders had used after it.
  price              numeric(38,18),
  update_id          bigint,
  displayed_quantity numeric(38,18),
  consumed_after     numeric(38,18),

  -- What is to be bought or sold (accepted), or was (filled).
  quantity           numeric(38,18),

  -- Of canceled.
  cancel_reason      text,

  -- What of the order is filled after it.
  filled_quantity    numeric(38,18)   not null,
  filled_notional    numeric          not null,

  -- Under which epoch of its shard's lease it was decided, and when it was stored.
  epoch              bigint           not null,
  recorded_at        timestamptz      not null default now(),

  unique (order_id, version),

  constraint order_event_version check (version >= 1 and (version = 1) = (type = 'accepted')),
  constraint order_event_time check (event_time >= 'epoch' and isfinite(event_time)),
  constraint order_event_payload check (
    case type
      when 'accepted' then
        num_nulls(account, instrument, side, quantity, limit_price, time_in_force) = 0
        and num_nonnulls(price, update_id, displayed_quantity, consumed_after, cancel_reason) = 0
      when 'filled' then
        num_nulls(price, quantity, update_id, displayed_quantity, consumed_after) = 0
        and num_nonnulls(account, client_order_id, instrument, side, limit_price, time_in_force,
          expire_time, cancel_reason) = 0
      else
        type in ('canceled', 'expired') and (type = 'canceled') = (cancel_reason is not null)
        and num_nonnulls(account, client_order_id, instrument, side, limit_price, time_in_force,
          expire_time, price, quantity, update_id, displayed_quantity, consumed_after) = 0
    end
  ),
  -- Fills never exceed what is displayed.
  constraint order_event_level check (
    quantity > 0 and quantity < 1e15 and price > 0 and price < 1e15 and update_id >= 0
    and quantity <= consumed_after and consumed_after <= displayed_quantity
    and displayed_quantity < 1e15
  )
);
create trigger append_only before update or delete or truncate on order_event
  for each statement execute function refuse_change();

-- The level that the last fill of an instrument's orders of one side used, and how much of it is
-- used: after a restart a first ticker that repeats it does not display it anew.
create table consumed_level (
  instrument         text collate "C" not null,
  -- The side of the orders: sells use the bid.
  side               text             not null,
  shard              smallint         not null,
  update_id          bigint           not null,
  price              numeric(38,18)   not null,
  displayed_quantity numeric(38,18)   not null,
  consumed           numeric(38,18)   not null,

  primary key (instrument, side),

  constraint consumed_level_consumed check (consumed > 0 and consumed <= displayed_quantity)
) with (fillfactor = 80);
create index consumed_level_shard on consumed_level (shard);

-- Servers that live, as they told last. Their shards are theirs until they have not renewed for the
-- duration of a lease, by this database's clock, and somebody else takes them.
create table shard_owner (
  -- A life of a server.
  owner      text collate "C" primary key,
  -- The URL at which it answers other servers.
  address    text             not null,
  expires_at timestamptz      not null,

  constraint shard_owner_sizes check (
    octet_length(owner) between 1 and 128 and octet_length(address) between 1 and 512
  )
);

-- Orders are divided among servers by instrument. Whoever decides on a shard has its lease; each
-- append locks the row, so that a change of owner or epoch cannot pass it.
create table shard_lease (
  shard smallint         primary key,
  -- Null: it is free.
  owner text collate "C",
  -- Rises with each owner, and whenever one makes sure that nothing it sent before can still happen.
  epoch bigint           not null
);
insert into shard_lease (shard, epoch) select shard, 0 from generate_series(0, 15) as shards (shard);

-- Who may not trade.
create table trading_halt (
  -- Empty: nobody may.
  account   text collate "C" primary key,
  reason    text             not null,
  halted_at timestamptz      not null default now(),

  constraint trading_halt_sizes check (octet_length(account) <= 64 and octet_length(reason) <= 200)
);

-- Rises with each change of what is halted.
create table halt_revision (
  revision bigint not null
);
create unique index halt_revision_is_one on halt_revision ((true));
insert into halt_revision (revision) values (1);

-- Halts an account, or with '' everything; what is halted stays as it is. An append shares this lock:
-- once it is had, none that was decided without the halt can be stored any more. (With row locks in
-- place of it, appends that overlap could keep a halt waiting without an end.)
create function halt_trading(halted_account text, halt_reason text) returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7201810005);
  insert into trading_halt (account, reason) values (halted_account, halt_reason)
  on conflict do nothing;
  if found then
    update halt_revision set revision = revision + 1;
  end if;
end
$$;

create function resume_trading(halted_account text) returns void
language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7201810005);
  delete from trading_halt where account = halted_account;
  if found then
    update halt_revision set revision = revision + 1;
  end if;
end
$$;

-- Renews an owner's leases and takes shards that nobody has, up to a fair share among the owners that
-- live; none while the caller's clock is more than a second off this one.
create function renew_shard_leases(
  renewing_owner text, owner_address text, lease_duration interval, owner_time timestamptz,
  out shards smallint[], out epochs bigint[], out fair_share integer, out halts bigint,
  out database_time timestamptz
)
language plpgsql as $$
declare
  held       integer := (select count(*) from shard_lease where owner = renewing_owner);
  is_trusted boolean;
begin
  database_time := clock_timestamp();
  is_trusted := owner_time
    between database_time - interval '1 second' and database_time + interval '1 second';
  -- Whoever takes nothing has no claim to a share either: it would keep shards from those who do.
  if is_trusted or held > 0 then
    insert into shard_owner (owner, address, expires_at)
    values (renewing_owner, owner_address, database_time + lease_duration)
    on conflict (owner) do update set address = excluded.address, expires_at = excluded.expires_at;
  end if;
  delete from shard_owner where expires_at < database_time - interval '1 hour';

  fair_share := ceil((select count(*) from shard_lease)::numeric / greatest(1, (
    select count(*) from shard_owner where expires_at > database_time
  )));
  if is_trusted and held < fair_share then
    -- One that is being appended to is left for the next time.
    update shard_lease set owner = renewing_owner, epoch = epoch + 1
    where shard in (
      select shard from shard_lease
      where not exists (
        select from shard_owner
        where shard_owner.owner = shard_lease.owner and expires_at > database_time
      )
      order by shard
      limit fair_share - held
      for update skip locked
    );
  end if;
  select array_agg(shard order by shard), array_agg(epoch order by shard) into shards, epochs
  from shard_lease
  where owner = renewing_owner;
  halts := (select revision from halt_revision);
end
$$;

-- Gives up shards of an owner, after what is being appended to them; one that has none left makes
-- room for the others at once.
create function release_shard_leases(releasing_owner text, released smallint[]) returns void
language plpgsql as $$
begin
  perform from shard_lease
  where owner = releasing_owner and shard = any(released)
  order by shard
  for update;
  update shard_lease set owner = null where owner = releasing_owner and shard = any(released);
  delete from shard_owner
  where owner = releasing_owner
    and not exists (select from shard_lease where owner = releasing_owner);
end
$$;

-- Applies events other than acceptances to their orders, which the database computes from the events
-- by itself; for append_order_events. Raises TW001 where one does not follow what is stored.
--
-- The orders are looked up one by one: a plan is kept while they grow from none to millions, and
-- nothing is known about the number of events when it is made.
create function change_orders(
  shards smallint[],
  order_ids text[], versions integer[], types text[], event_times timestamptz[], accounts text[],
  instruments text[], sides text[], prices numeric[], quantities numeric[], cancel_reasons text[],
  filled_quantities numeric[], filled_notionals numeric[]
) returns void
language plpgsql
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
#variable_conflict use_column
declare
  expected integer;
  changed  integer;
begin
  with last as materialized (
    -- The last event of each order, with what all of them change.
    select distinct on (order_id)
      input.*, count(*) over events as events, min(version) over events as first_version,
      coalesce(sum(quantity) over events, 0) as quantity_change,
      coalesce(sum(price * quantity) over events, 0) as notional_change
    from unnest(
      shards, order_ids, versions, types, event_times, accounts, instruments, sides, prices,
      quantities, cancel_reasons, filled_quantities, filled_notionals
    ) as input (
      shard, order_id, version, type, event_time, account, instrument, side, price, quantity,
      cancel_reason, filled_quantity, filled_notional
    )
    where type <> 'accepted'
    window events as (partition by order_id)
    order by order_id, version desc
  ), change as (
    update orders set
      version = last.version,
      status = case
        when last.type <> 'filled' then last.type
        when last.filled_quantity = orders.quantity then 'filled'
        else 'partiallyFilled'
      end,
      cancel_reason = last.cancel_reason,
      filled_quantity = last.filled_quantity,
      filled_notional = last.filled_notional,
      updated_time = last.event_time
    from last
    where orders.order_id = last.order_id
      -- Said so that no index but that of the ids serves.
      and orders.shard is not distinct from last.shard
      and orders.account is not distinct from last.account
      and orders.instrument is not distinct from last.instrument
      and orders.side is not distinct from last.side
      and orders.status not in ('filled', 'canceled', 'expired')
      and orders.version + 1 = first_version
      and orders.version + events = last.version
      and orders.filled_quantity + quantity_change = last.filled_quantity
      and orders.filled_notional + notional_change = last.filled_notional
    returning 1
  )
  select (select count(*) from last), (select count(*) from change) into expected, changed;
  if changed <> expected then
    raise exception 'An event does not follow what is stored' using errcode = 'TW001';
  end if;
end
$$;

-- Appends what was decided on one shard or several. The leases are arrays of their own; of each event
-- the number of its lease, from 1, is told, and then its columns, in the order of the decisions.
--
-- All events are stored, with what follows from them, or none. None, where there are refusals; each
-- names the reason for the lease of its number:
-- - leaseLost: the shard has another owner, or epoch;
-- - haltsChanged: what is halted is not what the decisions were made under.
-- None, too, where TW001 is raised: an event does not follow what is stored. Of acceptances whose
-- client_order_id is taken the numbers are answered: they alone are left out.
--
-- In read committed only: what was committed while it waited for its locks must be seen.
create function append_order_events(
  lease_shards smallint[], lease_owners text[], lease_epochs bigint[], lease_halts bigint[],
  lease_numbers integer[],
  order_ids text[], versions integer[], types text[], event_times timestamptz[],
  accounts text[], client_order_ids text[], instruments text[], sides text[],
  limit_prices numeric[], times_in_force text[], expire_times timestamptz[],
  prices numeric[], update_ids bigint[], displayed_quantities numeric[], consumed_afters numeric[],
  quantities numeric[], cancel_reasons text[],
  filled_quantities numeric[], filled_notionals numeric[],
  out refusals text[], out left_out integer[]
)
language plpgsql as $$
#variable_conflict use_column
declare
  shards         smallint[];
  epochs         bigint[];
  fills          record;
  stored         integer;
  first_position bigint;
begin
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'Orders are appended in read committed only';
  end if;
  -- In their order, as whoever changes several does.
  perform from shard_lease where shard = any(lease_shards) order by shard for share;
  perform pg_advisory_xact_lock_shared(7201810005);
  select array_agg(
    case
      when shard_lease.shard is null then 'leaseLost'
      when halts <> (select revision from halt_revision) then 'haltsChanged'
    end
    order by number
  )
  into refusals
  from unnest(lease_shards, lease_owners, lease_epochs, lease_halts) with ordinality
    as lease (shard, owner, epoch, halts, number)
  left join shard_lease using (shard, owner, epoch);
  if array_position(refusals, 'leaseLost') > 0 or array_position(refusals, 'haltsChanged') > 0 then
    return;
  end if;

  select array_agg(lease_shards[lease] order by number), array_agg(lease_epochs[lease] order by number)
  into shards, epochs
  from unnest(lease_numbers) with ordinality as input (lease, number);

  if 'accepted' = any(types) then
    with input as materialized (
      select * from unnest(
        shards, order_ids, types, event_times, accounts, client_order_ids, instruments, sides,
        quantities, limit_prices, times_in_force, expire_times
      ) with ordinality as input (
        shard, order_id, type, event_time, account, client_order_id, instrument, side,
        quantity, limit_price, time_in_force, expire_time, number
      )
      where type = 'accepted'
    ), stored as (
      insert into orders (
        order_id, account, client_order_id, instrument, shard, side, quantity, limit_price,
        time_in_force, expire_time, accepted_time, updated_time
      )
      select
        order_id, account, client_order_id, instrument, shard, side, quantity, limit_price,
        time_in_force, expire_time, event_time, event_time
      from input
      -- So that two appends with the same keys do not wait for each other both ways.
      order by account, client_order_id, number
      on conflict (account, client_order_id) do nothing
      returning order_id
    )
    select array_agg(number::integer order by number) into left_out
    from input
    where order_id not in (select order_id from stored);

    if left_out is not null and exists (
      select from unnest(left_out) as numbers (number)
      cross join lateral (
        select from orders where order_id = order_ids[number] limit 1
      ) as same
    ) then
      raise exception 'These events are stored already' using errcode = 'TW001';
    end if;
  end if;

  if types && '{filled,canceled,expired}' then
    perform change_orders(
      shards, order_ids, versions, types, event_times, accounts, instruments, sides, prices,
      quantities, cancel_reasons, filled_quantities, filled_notionals
    );
  end if;

  if 'filled' = any(types) then
    insert into consumed_level (
      instrument, side, shard, update_id, price, displayed_quantity, consumed
    )
    select distinct on (instrument, side)
      instrument, side, shard, update_id, price, displayed_quantity, consumed_after
    from unnest(
      shards, types, instruments, sides, update_ids, prices, displayed_quantities, consumed_afters
    ) with ordinality as input (
      shard, type, instrument, side, update_id, price, displayed_quantity, consumed_after, number
    )
    where type = 'filled'
    order by instrument, side, number desc
    on conflict (instrument, side) do update set
      update_id = excluded.update_id, price = excluded.price,
      displayed_quantity = excluded.displayed_quantity, consumed = excluded.consumed;

    select
      array_agg(account) as accounts, array_agg(instrument) as instruments,
      array_agg('order'::text) as sources,
      array_agg(order_id || ':' || lpad(version::text, 10, '0')) as source_ids,
      array_agg(case side when 'buy' then quantity else -quantity end) as quantities,
      array_agg(price) as prices, array_agg(0::numeric) as fees, array_agg(event_time) as times,
      array_agg(null::text) as corrections
    into fills
    from unnest(
      order_ids, versions, types, event_times, accounts, instruments, sides, prices, quantities
    ) as input (
      order_id, version, type, event_time, account, instrument, side, price, quantity
    )
    where type = 'filled';
    perform from record_executions(
      fills.accounts, fills.instruments, fills.sources, fills.source_ids, fills.quantities,
      fills.prices, fills.fees, fills.times, fills.corrections
    );
    if found then
      raise exception 'A fill is recorded already' using errcode = 'TW001';
    end if;
  end if;

  -- Whoever follows the log is woken at the commit.
  perform pg_notify('order_event', '');
  stored := cardinality(order_ids) - coalesce(cardinality(left_out), 0);
  if stored = 0 then
    return;
  end if;
  first_position := draw_log_positions(stored);
  insert into order_event (
    log_position, order_id, version, type, event_time,
    account, client_order_id, instrument, side, limit_price, time_in_force, expire_time,
    price, update_id, displayed_quantity, consumed_after, quantity, cancel_reason,
    filled_quantity, filled_notional, epoch
  )
  select
    first_position + row_number() over (order by number) - 1, order_id, version, type, event_time,
    case type when 'accepted' then account end, client_order_id,
    case type when 'accepted' then instrument end, case type when 'accepted' then side end,
    limit_price, time_in_force, expire_time,
    price, update_id, displayed_quantity, consumed_after, quantity, cancel_reason,
    filled_quantity, filled_notional, epoch
  from unnest(
    epochs, order_ids, versions, types, event_times, accounts, client_order_ids, instruments, sides,
    limit_prices, times_in_force, expire_times, prices, update_ids, displayed_quantities,
    consumed_afters, quantities, cancel_reasons, filled_quantities, filled_notionals
  ) with ordinality as input (
    epoch, order_id, version, type, event_time, account, client_order_id, instrument, side,
    limit_price, time_in_force, expire_time, price, update_id, displayed_quantity,
    consumed_after, quantity, cancel_reason, filled_quantity, filled_notional, number
  )
  where left_out is null or number <> all(left_out);
end
$$;

-- Down Migration

drop function append_order_events;
drop function change_orders;
drop function release_shard_leases;
drop function renew_shard_leases;
drop function resume_trading;
drop function halt_trading;
drop table halt_revision;
drop table trading_halt;
drop table shard_lease;
drop table shard_owner;
drop table consumed_level;
drop table order_event;
drop table orders;
drop function refuse_removal;
