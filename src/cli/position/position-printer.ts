import { styleText } from 'node:util';
import type { Execution, Position } from '../../../gen/tradewind/position/v1/position_pb.ts';
import type { PositionBin } from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { parseSum } from '../../base/decimal.ts';
import { timeOf } from '../rfc3339.ts';
import { sparkline } from '../sparkline.ts';
import { tableLines } from '../table.ts';
import type { Column } from '../table.ts';

/** A sparkline longer than this no longer fits on a line. */
const sparklineLength = 80;

const left = (title: string): Column => ({ title, align: 'left' });
const right = (title: string): Column => ({ title, align: 'right' });

/** Positions, a row each. */
export function positionTable(positions: readonly Position[]): Iterable<string> {
  return tableLines(
    [
      left('ACCOUNT'),
      left('INSTRUMENT'),
      right('QUANTITY'),
      right('AVERAGE OPEN'),
      right('REALIZED'),
      right('UNREALIZED'),
      right('FEES'),
      right('EXECUTIONS'),
      left('AS OF'),
    ],
    positions.map((position) => [
      position.account,
      position.instrument,
      position.quantity,
      position.averageOpenPrice ?? '-',
      position.realizedProfit,
      position.unrealizedProfit ?? '-',
      position.fees,
      String(position.executionCount),
      timeOf(position.asOfTime),
    ]),
  );
}

/** Executions, a row each. */
export function executionTable(executions: readonly Execution[]): Iterable<string> {
  return tableLines(
    [
      left('EXECUTED'),
      left('INSTRUMENT'),
      right('QUANTITY'),
      right('PRICE'),
      right('FEE'),
      left('SOURCE'),
      left('SOURCE ID'),
      left('CORRECTS'),
    ],
    executions.map((execution) => [
      timeOf(execution.executedTime),
      execution.instrument,
      execution.quantity,
      execution.price,
      execution.fee,
      execution.source,
      printable(execution.sourceId),
      printable(execution.corrects),
    ]),
  );
}

/** Bins, a row each, and how the quantity moved as a line of blocks. */
export function* historyTable(bins: readonly PositionBin[]): Iterable<string> {
  yield* tableLines(
    [left('FROM'), right('OPEN'), right('HIGH'), right('LOW'), right('CLOSE'), right('VOLUME')],
    bins.map((bin) => [
      timeOf(bin.startTime),
      bin.openQuantity,
      bin.highQuantity,
      bin.lowQuantity,
      bin.closeQuantity,
      bin.tradedVolume,
    ]),
  );
  if (bins.length < 2) return;
  const closes = bins.slice(-sparklineLength).map(({ closeQuantity }) => parseSum(closeQuantity));
  yield '';
  yield `${styleText('dim', 'quantity', { stream: process.stdout })} ${sparkline(closes)}`;
}

/** What somebody else chose must not steer a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}\p{P}\p{S} ]/gu, '\uFFFD');
}
