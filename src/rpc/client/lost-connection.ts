import { Code, ConnectError } from '@connectrpc/connect';
import type { Interceptor } from '@connectrpc/connect';

/**
 * Makes every loss of the connection UNAVAILABLE, which is what a caller retries. Connect's client
 * says ABORTED, CANCELED, INTERNAL or UNKNOWN, depending on how the connection broke.
 */
export const lostConnectionIsUnavailable: Interceptor = (next) => async (request) => {
  try {
    const response = await next(request);
    if (!response.stream) return response;
    return { ...response, message: translated(response.message, request.signal) };
  } catch (error) {
    throw translate(error, request.signal);
  }
};

async function* translated<T>(messages: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw translate(error, signal);
  }
}

const ambiguousCodes: ReadonlySet<Code> = new Set([
  Code.Aborted,
  Code.Canceled,
  Code.Internal,
  Code.Unknown,
]);

function translate(reason: unknown, signal: AbortSignal): ConnectError {
  const error = ConnectError.from(reason);
  // What the server said, and what the caller did itself, is what it is.
  if (error.isWireError || signal.aborted || !ambiguousCodes.has(error.code)) return error;
  return new ConnectError(
    `The connection to the server was lost: ${error.rawMessage}`,
    Code.Unavailable,
    undefined,
    undefined,
    error,
  );
}
