// Another process that reads StreamTrades over gRPC on as few parts as can be, so that what it
// costs is little beside the server: `stream-readers.ts PORT CONNECTIONS STREAMS INSTRUMENT…`. The
// streams of each connection take the instruments in turn. Answers every message of its parent with
// a ReadersReport.
import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  StreamTradesRequestSchema,
  StreamTradesResponseSchema,
} from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { microsOf } from '../../src/rpc/messages.ts';
import { LagCounts } from './lag-counts.ts';
import { commonMicros, cpuMicros } from './process-cost.ts';
import type { ReadersReport } from './reader-crowd.ts';

const [port = '', connections = '', streams = '', ...instruments] = process.argv.slice(2);
const headBytes = 5;
/** Of each connection, the streams whose lag is measured: decoding all would be most of the work. */
const sampledEvery = 10;

let received = 0;
let ended = 0;
let lags = new LagCounts();

for (let connection = 0; connection < Number(connections); connection++) {
  const session = connect(`http://127.0.0.1:${port}`);
  for (let stream = 0; stream < Number(streams); stream++) {
    read(open(session, instruments[stream % instruments.length]), stream % sampledEvery === 0);
  }
}

process.on('message', () => {
  const report: ReadersReport = { received, ended, lags: lags.summary(), cpuMicros: cpuMicros() };
  lags = new LagCounts();
  process.send?.(report);
});
process.on('disconnect', () => process.exit());

function open(session: ClientHttp2Session, instrument: string | undefined): ClientHttp2Stream {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/tradewind.market.v1.MarketService/StreamTrades',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const request = create(StreamTradesRequestSchema, {
    instruments: instrument === undefined ? [] : [instrument],
  });
  const message = toBinary(StreamTradesRequestSchema, request);
  const head = Buffer.alloc(headBytes);
  head.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([head, message]));
  return stream;
}

/** Counts a stream's messages, and how late the first of each piece is that arrives. */
function read(stream: ClientHttp2Stream, isSampled: boolean): void {
  let rest: Uint8Array = Buffer.alloc(0);
  stream.on('data', (piece: Buffer) => {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    let start = 0;
    while (bytes.length - start >= headBytes) {
      const end = start + headBytes + bytes.readUInt32BE(start + 1);
      if (end > bytes.length) break;
      if (isSampled && start === 0) observe(bytes.subarray(headBytes, end));
      received++;
      start = end;
    }
    rest = start === bytes.length ? Buffer.alloc(0) : bytes.subarray(start);
  });
  stream.on('close', () => ended++);
  stream.on('error', () => {});
}

function observe(message: Uint8Array): void {
  const { event } = fromBinary(StreamTradesResponseSchema, message);
  const sent = event.case === 'trade' ? event.value.receivedTime : undefined;
  if (sent !== undefined) lags.add(commonMicros() - microsOf(sent));
}
