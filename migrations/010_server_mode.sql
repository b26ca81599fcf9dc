-- Up Migration

-- The mode that was switched to while a server ran. It holds for the next start as long as the
-- configuration says what it said then: a configuration that was changed since is the newer word.
create table server_mode (
  is_only    boolean     primary key default true check (is_only),
  mode       text        not null check (mode in ('TEST', 'LIVE')),
  configured text        not null check (configured in ('TEST', 'LIVE')),
  changed_at timestamptz not null default now()
);

-- Down Migration

drop table server_mode;
