import type { Candle } from '../domain/candle.ts';
import type { Gap } from '../domain/gap.ts';

/** A piece of the server's stream. */
export type StreamBatch = {
  /** Closed candles. */
  readonly candles: readonly Candle[];
  readonly gaps: readonly Gap[];
  /**
   * Where the stream can be resumed when this piece and all before it are stored; undefined within
   * a snapshot, of which a part alone cannot be resumed.
   */
  readonly cursor: string | undefined;
};

/**
 * Follows the server's closed candles and gaps, after a cursor or from a snapshot of all that the
 * server retains. It ends with an Error when the stream does, however that came.
 * @throws CursorTooOldError
 */
export type FollowCandles = (
  resumeAfter: string | undefined,
  signal: AbortSignal,
) => AsyncIterable<StreamBatch>;

/** The server does not retain everything after the cursor any more. */
export class CursorTooOldError extends Error {
  constructor(options?: ErrorOptions) {
    super('The server does not retain everything after the cursor any more', options);
    this.name = 'CursorTooOldError';
  }
}

/** The number of rows that a batch becomes. */
export function rowsOf({ candles, gaps }: StreamBatch): number {
  return candles.length + gaps.length;
}
