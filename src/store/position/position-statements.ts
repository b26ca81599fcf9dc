import { partColumns, runColumns } from './position-row.ts';

// The statements of positions; their functions are in the migrations.

const columns = partColumns.join(', ');

/** A segment (or none), and up to $4 executions after it up to and with $3. */
const tailColumns = `
  ${partColumns.map((name) => `segment.${name}`).join(', ')},
  times, quantities, prices, run.fees as run_fees, sources, source_ids`;
const behind = `
  left join lateral (
    select ${columns} from position_segment
    where account = $1 and instrument = asked.instrument and executed_time <= $3
    order by executed_time desc, source desc, source_id desc
    limit 1
  ) as segment on true
  cross join lateral read_executions(
    $1, asked.instrument, coalesce(segment.executed_time, '-infinity'), coalesce(segment.source, ''),
    coalesce(segment.source_id, ''), $3, $4
  ) as run`;

/** $1 account, $2 instrument, $3 time, $4 executions. Where there is a first row, nobody looks for another. */
export const selectMoment = `
  with next_segment as materialized (
    select ${columns} from position_segment
    where account = $1 and instrument = $2 and executed_time > $3
    order by executed_time, source, source_id
    limit 1
  )
  select
    true as is_within, next_segment.*, null as times, null as quantities, null as prices,
    null as run_fees, null as sources, null as source_ids
  from next_segment
  union all
  select false, ${tailColumns}
  from (select $2 as instrument where not exists (select from next_segment)) as asked
  ${behind}`;

/** The same of many instruments, whatever is behind $3. */
export const selectTails = `
  select ${tailColumns}
  from unnest($2::text[]) with ordinality as asked (instrument, number)
  ${behind}
  order by number`;

export const selectAfter = `
  select ${runColumns} from read_executions($1, $2, $3, $4, $5, $6, $7)`;

export const saveSegments = `
  select save_position_segments(
    ${Array.from({ length: 22 }, (_, index) => `$${index + 1}`).join(', ')}
  ) as is_saved`;

/** From one name to the next over the index: there are few names and many changes. */
export const selectNames = `
  with recursive name (account, instrument) as (
    (select account, instrument from position_change
     where (account, instrument) > ($2, $3) and ($1::text is null or account = $1)
     order by account, instrument limit 1)
    union all
    select next.account, next.instrument from name cross join lateral (
      select account, instrument from position_change
      where (account, instrument) > (name.account, name.instrument)
        and ($1::text is null or account = $1)
      order by account, instrument limit 1
    ) as next
  )
  select account, instrument from name limit $4`;

export const selectChanges = `
  select log_position, account, instrument, executed_time, source, source_id, execution_count
  from position_change where log_position > $1 order by log_position limit $2`;
