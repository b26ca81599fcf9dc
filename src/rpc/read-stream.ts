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
