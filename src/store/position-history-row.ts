import { parseSum } from '../base/decimal.ts';
import { ExecutionRun } from './execution-run.ts';
import type { HistoryPiece } from './position-store.ts';

/**
 * $3 are the edges. Segments within a bin are summed up here: a month may have a million executions.
 * Of the others there are at most two a bin, and of those that end after the last edge one.
 */
export const selectHistory = `
  with span (first, last) as (select ($3::timestamptz[])[1], ($3::timestamptz[])[cardinality($3)]),
  kept as materialized (
    (select segment.* from span, position_segment as segment
     where account = $1 and instrument = $2
       and executed_time >= span.first and executed_time < span.last)
    union all
    (select segment.* from span, position_segment as segment
     where account = $1 and instrument = $2 and executed_time >= span.last
     order by executed_time, source, source_id
     limit 1)
  ), placed as (
    select *, width_bucket(executed_time, $3::timestamptz[]) as bin,
      width_bucket(first_time, $3::timestamptz[]) = width_bucket(executed_time, $3::timestamptz[])
        as is_within
    from kept
  ), last_kept as (
    select segment.* from span, position_segment as segment
    where account = $1 and instrument = $2 and executed_time < span.last
    order by executed_time desc, source desc, source_id desc
    limit 1
  )
  select
    min(execution_count) as before, bin - 1 as bin,
    (array_agg(quantity order by execution_count))[1] as quantity,
    (array_agg(end_quantity order by execution_count desc))[1] as end_quantity,
    max(high_quantity) as high_quantity, min(low_quantity) as low_quantity, sum(volume) as volume,
    null as executions
  from placed where is_within group by bin
  union all
  select execution_count, null, quantity, null, null, null, null, executions
  from placed where not is_within
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
  where not exists (select from kept where executed_time >= span.last)
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
