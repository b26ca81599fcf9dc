import type { Socket } from 'node:net';
import type { Clock } from '../../base/clock.ts';

/** What every HTTP/2 client says first; no HTTP/1 request begins so. */
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

export type SniffOptions = {
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Aborted when those that have not said enough yet are to be closed. */
  readonly signal: AbortSignal;
};

/**
 * Finds out by the first bytes whether a connection speaks HTTP/2 or HTTP/1, puts them back and
 * tells. A connection that ends, fails or does not say enough within `timeoutMs` is closed instead.
 */
export function sniff(
  socket: Socket,
  { clock, timeoutMs, signal }: SniffOptions,
  decided: (protocol: 'http1' | 'http2') => void,
): void {
  let seen: Buffer = Buffer.alloc(0);
  const timer = clock.setTimer(timeoutMs, () => socket.destroy());
  const close = () => socket.destroy();
  const stop = () => {
    timer[Symbol.dispose]();
    signal.removeEventListener('abort', close);
    socket.off('readable', read);
    socket.off('end', close);
    socket.off('close', stop);
  };
  const read = () => {
    const bytes: Buffer | null = socket.read();
    if (bytes === null) return;
    // Kept here until it is decided: bytes put back too early would be 'readable' again at once.
    seen = seen.length === 0 ? bytes : Buffer.concat([seen, bytes]);
    const length = Math.min(seen.length, preface.length);
    const isHttp2 = seen.compare(preface, 0, length, 0, length) === 0;
    if (isHttp2 && length < preface.length) return;
    stop();
    socket.unshift(seen);
    decided(isHttp2 ? 'http2' : 'http1');
  };
  signal.addEventListener('abort', close);
  socket.on('readable', read);
  socket.on('end', close);
  socket.on('close', stop);
}
