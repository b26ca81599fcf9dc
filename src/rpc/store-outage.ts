import { ConnectError } from '@connectrpc/connect';
import { Refusal } from '../domain/refusal.ts';
import { classifyDatabaseError } from '../store/database-error.ts';

/** What goes wrong in our own code is no outage: nobody should try it again. */
const mistakes = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Waits for an answer that the store has a part in: in an outage it is UNAVAILABLE. */
export async function inOutage<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw asUnavailable(error);
  }
}

/** The same for a stream. */
export async function* streamInOutage<T>(messages: AsyncIterable<T>): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw asUnavailable(error);
  }
}

function asUnavailable(error: unknown): unknown {
  const isTold = error instanceof Refusal || error instanceof ConnectError;
  const isMistake =
    mistakes.some((kind) => error instanceof kind) || classifyDatabaseError(error) !== 'outage';
  const isAbort = error instanceof Error && error.name === 'AbortError';
  if (isTold || isMistake || isAbort) return error;
  return new Refusal('unavailable', 'The store does not answer now: try again', { cause: error });
}
