import type { Micros } from '../../base/clock.ts';
import { formatDecimal, formatProduct, parseProduct, parseSum } from '../../base/decimal.ts';
import type { ExecutionKey } from '../../domain/execution.ts';
import type { PositionState } from '../../domain/position.ts';
import { plainColumn, textColumn } from '../column.ts';
import { ExecutionRun } from './execution-run.ts';
import type { KeyedRun, PositionPart, PositionSegment } from './position-store.ts';
import { formatTimestamp } from '../timestamptz.ts';

/** The columns of position_segment that tell a position and the executions after it. */
export const partColumns = [
  'executed_time',
  'source',
  'source_id',
  'previous_time',
  'execution_count',
  'quantity',
  'cost',
  'realized_profit',
  'fees',
  'traded_volume',
  'executions',
] as const;

export type StoredPart = {
  readonly executed_time: Micros;
  readonly source: string;
  readonly source_id: string;
  readonly previous_time: Micros | null;
  readonly execution_count: number;
  readonly quantity: string;
  readonly cost: string;
  readonly realized_profit: string;
  readonly fees: string;
  readonly traded_volume: string;
  readonly executions: string;
};

export function partFromRow(row: StoredPart): PositionPart & { readonly key: ExecutionKey } {
  return {
    key: { executedTime: row.executed_time, source: row.source, sourceId: row.source_id },
    previousTime: row.previous_time ?? undefined,
    before: {
      quantity: parseSum(row.quantity),
      cost: parseProduct(row.cost),
      realizedProfit: parseProduct(row.realized_profit),
      fees: parseSum(row.fees),
      tradedVolume: parseSum(row.traded_volume),
      executionCount: row.execution_count,
    },
    executions: ExecutionRun.parse(row.executions),
  };
}

/** What read_executions answers; its columns are null where there are no executions. */
export type StoredRun = {
  readonly times: string | null;
  readonly quantities: string | null;
  readonly prices: string | null;
  readonly fees: string | null;
  readonly sources: string | null;
  readonly source_ids: string | null;
};

export const runColumns = 'times, quantities, prices, fees, sources, source_ids';

/** Stands between sources and between source ids, and in none of them. */
const unitSeparator = '\x1f';

export function runFromRow({ sources, source_ids, ...columns }: StoredRun): KeyedRun {
  const { times, quantities, prices, fees } = columns;
  return {
    executions: new ExecutionRun(times ?? '', quantities ?? '', prices ?? '', fees ?? ''),
    sources: sources?.split(unitSeparator) ?? [],
    sourceIds: source_ids?.split(unitSeparator) ?? [],
  };
}

/** The columns of segments that follow on one another, as save_position_segments takes them. */
export function segmentColumns(segments: readonly PositionSegment[]): string[] {
  const plain = (valueOf: (segment: PositionSegment) => string) =>
    plainColumn(segments.map(valueOf));
  const state = (valueOf: (state: PositionState) => string) =>
    plain(({ before }) => valueOf(before));
  const ends = segments.map(({ key }) => formatTimestamp(key.executedTime));
  // Each follows on the one before it.
  const previousTime = segments[0]?.previousTime;
  const previous = previousTime === undefined ? 'NULL' : formatTimestamp(previousTime);
  return [
    plainColumn(ends),
    textColumn(segments.map(({ key }) => key.source)),
    textColumn(segments.map(({ key }) => key.sourceId)),
    plain(({ executions }) => formatTimestamp(executions.timeAt(0))),
    plainColumn([previous, ...ends.slice(0, -1)]),
    state(({ executionCount }) => String(executionCount)),
    state(({ quantity }) => formatDecimal(quantity)),
    state(({ cost }) => formatProduct(cost)),
    state(({ realizedProfit }) => formatProduct(realizedProfit)),
    state(({ fees }) => formatDecimal(fees)),
    state(({ tradedVolume }) => formatDecimal(tradedVolume)),
    plain(({ endQuantity }) => formatDecimal(endQuantity)),
    plain(({ highQuantity }) => formatDecimal(highQuantity)),
    plain(({ lowQuantity }) => formatDecimal(lowQuantity)),
    plain(({ volume }) => formatDecimal(volume)),
    // Blanks, but nothing else that an array literal gives meaning to.
    plain(({ executions }) => `"${executions.text()}"`),
  ];
}
