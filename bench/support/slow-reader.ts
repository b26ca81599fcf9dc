import { connect } from 'node:http2';
import { systemClock } from '../../src/base/clock.ts';
import { repeat } from '../../src/base/clock.ts';

/**
 * A reader of all trades that takes `bytes` every 100 ms, none at all for 0, and opens its stream
 * again whenever it is cut off.
 */
export function openSlowReader(port: number, bytes: number): Disposable & { cutOffs: number } {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  const open = () => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/tradewind.market.v1.MarketService/StreamTrades',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const take = repeat(systemClock, 100, () => void (bytes > 0 && stream.read(bytes)));
    stream.on('error', () => {});
    stream.on('close', () => {
      take[Symbol.dispose]();
      reader.cutOffs++;
      if (!session.destroyed) open();
    });
    stream.end(Buffer.alloc(5));
  };
  const reader = { cutOffs: 0, [Symbol.dispose]: () => session.destroy() };
  open();
  return reader;
}
