import { connect } from 'node:http2';
import type { ClientHttp2Stream } from 'node:http2';

const path = '/tradewind.market.v1.MarketService/StreamTrades';

/** A subscriber of all trades by gRPC that reads so many bytes at once; 0: none at all. */
export function openSlowReader(
  url: string,
  bytesAtOnce: number,
): Disposable & { readonly stream: ClientHttp2Stream; readonly vanish: () => void } {
  const session = connect(url);
  session.on('error', () => {});
  const headers = { 'content-type': 'application/grpc', te: 'trailers' };
  const stream = session.request({ ':method': 'POST', ':path': path, ...headers });
  stream.on('error', () => {});
  // An empty message: every instrument. What is not read takes of the window, which is not renewed.
  stream.end(Buffer.alloc(5));
  stream.pause();
  const timer = setInterval(() => {
    if (bytesAtOnce > 0) stream.read(bytesAtOnce);
  }, 5);
  const vanish = () => {
    clearInterval(timer);
    session.destroy();
  };
  return { stream, vanish, [Symbol.dispose]: vanish };
}
