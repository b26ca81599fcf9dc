import { parseSum } from '../../base/decimal.ts';
import { ExecutionRun } from './execution-run.ts';
import type { HistoryPiece } from './position-store.ts';

/**
 * $3 are the edges. Segments within a bin are summed up here, without their executions: a month may
 * have a million of them. Those that lie across an edge, and the first one behind the last edge, come
 * with theirs.
 */
export const selectHistory = `
  with span (first, last) as (select ($3::timestamptz[])[1], ($3::timestamptz[])[cardinality($3)]),
  across as materialized (
    select distinct on (execution_count) execution_count, quantity, executed_time, executions
    from span
    cross join unnest($3::timestamptz[]) as edge
    cross join lateral (
      select execution_count, quantity, first_time, executed_time, executions from position_segment
      where account = $1 and instrument = $2 and executed_time >= edge
      order by executed_time, source, source_id
      limit 1
    ) as segment
    where first_time < edge or edge = last
  ), last_kept as (
    select segment.* from span, position_segment as segment
    where account = $1 and instrument = $2 and executed_time < span.last
    order by executed_time desc, source desc, source_id desc
    limit 1
  )
  select
    min(execution_count) as before, bin - 1 as bin,
    -- Of the first and of the last segment, without sorting them.
    (min(array[execution_count, quantity]))[2] as quantity,
    (max(array[execution_count, end_quantity]))[2] as end_quantity,
    max(high_quantity) as high_quantity, min(low_quantity) as low_quantity, sum(volume) as volume,
    null as executions
  from span
  cross join position_segment
  cross join width_bucket(executed_time, $3::timestamptz[]) as bin
  where account = $1 and instrument = $2
    and executed_time >= span.first and executed_time < span.last
    and width_bucket(first_time, $3::timestamptz[]) = bin
  group by bin
  union all
  select execution_count, null, quantity, null, null, null, null, executions
  from across
  union all
  select
    null, null, coalesce(last_kept.end_quantity, 0), null, null, null, null,
    concat_ws('|', times, quantities, prices, run.fees)
  from span
  left join last_kept on true
  cross join lateral read_executions(
    $1, $2, coalesce(last_kept.executed_time, '-infinity'), coalesce(last_kept.source, ''),
    coalesce(last_kept.source_id, ''), span.last - interval '1 microsecond', $4
  ) as run
  where not exists (select from across where executed_time >= span.last)
  order by before nulls last`;

export type StoredHistoryPiece = { readonly quantity: string } & (
  | {
      readonly bin: number;
      readonly end_quantity: string;
      readonly high_quantity: string;
      readonly low_quantity: string;
      readonly volume: string;
      readonly executions: null;
    }
  | { readonly executions: string }
);

export function historyPieces(rows: readonly StoredHistoryPiece[]): readonly HistoryPiece[] {
  return rows.map((row) => {
    const quantity = parseSum(row.quantity);
    if (row.executions !== null) {
      return { type: 'across', quantity, executions: ExecutionRun.parse(row.executions) };
    }
    return {
      type: 'within',
      quantity,
      bin: row.bin,
      endQuantity: parseSum(row.end_quantity),
      highQuantity: parseSum(row.high_quantity),
      lowQuantity: parseSum(row.low_quantity),
      volume: parseSum(row.volume),
    };
  });
}
