import { Refusal } from '../domain/refusal.ts';
import type { LogTail } from '../store/order/log-tail.ts';

/**
 * A place in the log, as the text that clients hand back: the form's version ("o1" of orders, "p1" of
 * positions) and the position.
 */
export function formatLogCursor(form: 'o1' | 'p1', position: number): string {
  return `${form}.${position}`;
}

/** @throws Refusal for a text that no server of ours has written */
export function parseLogCursor(form: 'o1' | 'p1', text: string): number {
  const position = Number(new RegExp(`^${form}\\.(\\d{1,16})$`, 'u').exec(text)?.[1]);
  if (Number.isSafeInteger(position)) return position;
  throw new Refusal('invalid', 'resume_after: expected a cursor of this stream', {
    field: 'resume_after',
  });
}

/**
 * Makes sure that a cursor is a place in this log. One beyond its end is of another log, or of a time
 * that a restored database has forgotten: who went on from there would wait for ever, and miss what
 * comes until then.
 * @throws Refusal 'outOfRange'
 */
export async function checkLogCursor(
  tail: Pick<LogTail, 'position' | 'readAfter'>,
  position: number,
): Promise<void> {
  // Another server on the same database may have got further.
  if (position <= (tail.position ?? 0)) return;
  const [entry] = await tail.readAfter(position - 1, 1);
  if (entry !== undefined) return;
  throw new Refusal(
    'outOfRange',
    'resume_after: expected a cursor of this log, got one beyond its end: begin without a cursor',
    { field: 'resume_after' },
  );
}
