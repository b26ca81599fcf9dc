// Another process that reads streams and throws away what it reads: `stream-readers.ts PORT COUNT`.
// Sends a message when all of them have ended.
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
const streamsPerConnection = 50;

let left = count;
let session: ClientHttp2Session | undefined;
for (let index = 0; index < count; index++) {
  if (session === undefined || index % streamsPerConnection === 0) {
    session = connect(`http://127.0.0.1:${port}`);
  }
  const stream = session.request({
    ':method': 'POST',
    ':path': '/tradewind.market.v1.MarketService/StreamTrades',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  stream.resume();
  stream.on('end', () => {
    if (--left === 0) process.send?.('ended');
  });
  // An empty message in its envelope.
  stream.end(Buffer.alloc(5));
}
