import { connect } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream } from 'node:http2';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { create, toBinary } from '@bufbuild/protobuf';
import { StreamTradesRequestSchema } from '../../gen/tradewind/market/v1/market_service_pb.ts';

/** A connection with gRPC streams of trades on it, on as few parts as can be: for crowds. */
export type CrowdSession = {
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
  /** Streams that something was read of. */
  readonly reading: () => number;
  readonly streams: readonly ClientHttp2Stream[];
};

/** Opens streams that read and throw away; what becomes of them afterwards is no error. */
export function openCrowdSession(
  port: number,
  instruments: readonly string[],
  count: number,
): CrowdSession {
  const message = toBinary(
    StreamTradesRequestSchema,
    create(StreamTradesRequestSchema, { instruments: [...instruments] }),
  );
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  const request = Buffer.concat([head, message]);
  const socket = createConnection(port, '127.0.0.1');
  socket.on('error', () => {});
  const session = connect(`http://127.0.0.1:${port}`, { createConnection: () => socket });
  session.on('error', () => {});
  let reading = 0;
  const streams = Array.from({ length: count }, () => {
    const stream = session.request({
      ':method': 'POST',
      ':path': '/tradewind.market.v1.MarketService/StreamTrades',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    stream.once('data', () => reading++);
    stream.end(request);
    return stream;
  });
  return { session, socket, streams, reading: () => reading };
}
