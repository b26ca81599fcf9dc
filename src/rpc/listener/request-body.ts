import { Code, ConnectError } from '@connectrpc/connect';
import type { Clock } from '../../base/clock.ts';
import type { NodeRequest } from './response-writer.ts';

export type BodyLimits = {
  /** Bytes after which reading stops: whoever parses them finds the message too large. */
  readonly maxBytes: number;
  /** Milliseconds in which the body, or the next part of a stream of messages, must arrive. */
  readonly timeoutMs: number;
  readonly clock: Clock;
};

/** Room above the largest message for its envelope and for compression that made it larger. */
const overheadBytes = 1024;

/**
 * A body of one message, read whole and given in one piece: Connect's parser adds up all pieces
 * again at each new one, so that a message sent byte by byte would cost the square of its length.
 * @throws ConnectError DEADLINE_EXCEEDED when it does not arrive in time, CANCELED when it breaks off
 */
export async function* wholeBody(
  request: NodeRequest,
  limits: BodyLimits,
): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of readPieces(request, limits, 'whole')) {
    pieces.push(piece);
    length += piece.length;
    if (length > limits.maxBytes + overheadBytes) break;
  }
  if (length > 0) yield Buffer.concat(pieces, length);
}

/**
 * A body of many messages, piece by piece.
 * @throws ConnectError DEADLINE_EXCEEDED when the next piece does not arrive in time, CANCELED when
 * it breaks off
 */
export function bodyPieces(request: NodeRequest, limits: BodyLimits): AsyncGenerator<Uint8Array> {
  return readPieces(request, limits, 'piece');
}

async function* readPieces(
  request: NodeRequest,
  { timeoutMs, clock }: BodyLimits,
  timed: 'whole' | 'piece',
): AsyncGenerator<Uint8Array> {
  const expired = Promise.withResolvers<never>();
  expired.promise.catch(() => {});
  const expire = () =>
    expired.reject(
      new ConnectError(`The request did not arrive within ${timeoutMs} ms`, Code.DeadlineExceeded),
    );
  // The answer still goes out on the same stream: leaving early must not destroy it.
  const pieces: AsyncIterator<unknown> = request.iterator({ destroyOnReturn: false });
  let timer = clock.setTimer(timeoutMs, expire);
  try {
    for (;;) {
      const next = await Promise.race([pieces.next().catch(brokeOff), expired.promise]);
      if (next.done === true) return;
      if (next.value instanceof Uint8Array) yield next.value;
      if (timed === 'piece') {
        timer[Symbol.dispose]();
        timer = clock.setTimer(timeoutMs, expire);
      }
    }
  } finally {
    timer[Symbol.dispose]();
  }
}

function brokeOff(cause: unknown): never {
  throw new ConnectError('The request broke off', Code.Canceled, undefined, undefined, cause);
}
