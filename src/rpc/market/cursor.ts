import { Refusal } from '../../domain/refusal.ts';
import type { LogPosition } from '../../market/candle-log.ts';

/**
 * Writes a place in the stream of candles as the text that clients hand back: the form's version,
 * the run, the sequence and the watermark.
 */
export function formatCursor({ run, sequence, watermark }: LogPosition): string {
  return `c1.${run}.${sequence}.${watermark}`;
}

/** @throws Refusal for a text that no server of ours has written */
export function parseCursor(field: string, text: string): LogPosition {
  const match = /^c1\.(\d{1,16})\.(\d{1,16})\.(\d{1,16})$/u.exec(text);
  const [run, sequence, watermark] = (match ?? []).slice(1).map(Number);
  if (!isExact(run) || !isExact(sequence) || !isExact(watermark)) {
    throw new Refusal(
      'invalid',
      `${field}: expected a cursor of this service, got ${JSON.stringify(text.slice(0, 60))}`,
    );
  }
  return { run, sequence, watermark };
}

const isExact = (value: number | undefined): value is number => Number.isSafeInteger(value);
