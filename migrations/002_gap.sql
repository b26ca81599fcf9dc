-- Up Migration

-- Runs of trades that were known to be missing, and what became of them.
create table gap (
  exchange         text        not null,
  symbol           text        not null,
  first_missing_id bigint      not null,
  last_missing_id  bigint      not null,
  -- The exchange times of the last known trade before it and the first known one after it.
  from_time        timestamptz not null,
  to_time          timestamptz not null,
  -- open: missing; filled: they came after all; absent: the exchange has not got them either.
  state            text        not null,
  recorded_at      timestamptz not null default now(),

  primary key (exchange, symbol, first_missing_id, last_missing_id),

  constraint gap_exchange check (octet_length(exchange) between 1 and 32),
  constraint gap_symbol check (octet_length(symbol) between 1 and 64),
  constraint gap_ids check (first_missing_id >= 0 and first_missing_id <= last_missing_id),
  constraint gap_times check (from_time <= to_time and isfinite(from_time) and isfinite(to_time)),
  constraint gap_state check (state in ('open', 'absent', 'filled'))
);

-- Down Migration

drop table gap;
