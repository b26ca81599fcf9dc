import type { Micros } from '../base/clock.ts';
import type { Decimal } from '../base/decimal.ts';
import { closeTimeOf, openTimeOf } from '../domain/timeframe.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { HistoryPiece } from '../store/position/position-store.ts';

/** How a position's quantity went in one span of time. */
export type PositionBin = {
  readonly openTime: Micros;
  /** The first instant after it. */
  readonly closeTime: Micros;
  /** Before its first execution. */
  readonly openQuantity: Decimal;
  /** The open included. */
  readonly highQuantity: Decimal;
  readonly lowQuantity: Decimal;
  readonly closeQuantity: Decimal;
  /** The sum of what was bought and sold. */
  readonly tradedVolume: Decimal;
};

/** The edges of the bins from `from` that open before `to`: `limit` bins, and where the rest begins. */
export function edgesOf(
  bin: Timeframe,
  from: Micros,
  to: Micros,
  limit: number,
): { readonly edges: readonly Micros[]; readonly next: Micros | undefined } {
  let edge = openTimeOf(bin, from);
  // The first week began in 1969, where nothing is.
  const edges = [Math.max(0, edge)];
  while (edge < to && edges.length <= limit) {
    edge = closeTimeOf(bin, edge);
    edges.push(edge);
  }
  return { edges, next: edge < to ? edge : undefined };
}

/** Makes bins of what lies in them: those without an execution carry the quantity on. */
export function binHistory(
  pieces: readonly HistoryPiece[],
  edges: readonly Micros[],
): readonly PositionBin[] {
  const bins: PositionBin[] = [];
  let quantity = pieces[0]?.quantity ?? 0n;
  let [open, high, low, volume] = [quantity, quantity, quantity, 0n];
  const take = (highest: Decimal, lowest: Decimal, traded: Decimal) => {
    if (highest > high) high = highest;
    if (lowest < low) low = lowest;
    volume += traded;
  };
  const closeUpTo = (bin: number) => {
    while (bins.length < bin) {
      bins.push({
        openTime: edges[bins.length] ?? 0,
        closeTime: edges[bins.length + 1] ?? 0,
        openQuantity: open,
        highQuantity: high,
        lowQuantity: low,
        closeQuantity: quantity,
        tradedVolume: volume,
      });
      [open, high, low, volume] = [quantity, quantity, quantity, 0n];
    }
  };
  for (const piece of pieces) {
    if (piece.type === 'within') {
      closeUpTo(piece.bin);
      take(piece.highQuantity, piece.lowQuantity, piece.volume);
      quantity = piece.endQuantity;
      continue;
    }
    const { executions } = piece;
    const cursor = executions.read();
    for (let index = 0; index < executions.length; index++) {
      const time = executions.timeAt(index);
      if (time >= (edges.at(-1) ?? 0)) break;
      cursor.next();
      const change = cursor.quantity;
      while (time >= (edges[bins.length + 1] ?? Infinity)) closeUpTo(bins.length + 1);
      quantity += change;
      // What happened before the first bin is where that opens.
      if (time < (edges[0] ?? 0)) [open, high, low] = [quantity, quantity, quantity];
      else take(quantity, quantity, change < 0n ? -change : change);
    }
  }
  closeUpTo(edges.length - 1);
  return bins;
}
