import { Code, ConnectError } from '@connectrpc/connect';
import type { Clock } from '../../base/clock.ts';

/** Live streams have a heartbeat at least every 15 s: three of them are missing. */
const silenceTimeoutMs = 45_000;

/**
 * Reads a server's stream: `for await (… of readStream((signal) => client.streamTrades({}, { signal })))`.
 * Leaving the loop ends the RPC, and so does `signal`; a Connect client by itself leaves an RPC whose
 * messages nobody reads any more open for as long as the connection lives.
 */
export async function* readStream<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  signal?: AbortSignal,
): AsyncGenerator<T> {
  const leaving = new AbortController();
  const leave = () => leaving.abort(signal?.reason);
  if (signal?.aborted === true) leave();
  signal?.addEventListener('abort', leave, { once: true });
  try {
    yield* open(leaving.signal);
  } finally {
    signal?.removeEventListener('abort', leave);
    leaving.abort();
  }
}

/**
 * Reads a stream that has heartbeats and no end, as readStream does.
 * @throws ConnectError UNAVAILABLE also where the server is silent or ends the stream
 */
export async function* readLiveStream<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): AsyncGenerator<T> {
  const silence = new AbortController();
  const messages = readStream(open, AbortSignal.any([signal, silence.signal]));
  const next = async () => {
    // Only while we ask: a reader that makes the server wait is not a silent server.
    using _timer = clock.setTimer(silenceTimeoutMs, () => silence.abort());
    return await messages.next();
  };
  try {
    for (let message = await next(); message.done !== true; message = await next()) {
      yield message.value;
    }
  } catch (error) {
    if (!silence.signal.aborted) throw error;
    const reason = `The server was silent for ${silenceTimeoutMs} ms`;
    throw new ConnectError(reason, Code.Unavailable, undefined, undefined, error);
  } finally {
    await messages.return(undefined);
  }
  throw new ConnectError('The server ended the stream', Code.Unavailable);
}
