// A process of its own: a WebSocket server that sends the same frames to everybody who connects, as
// fast as they are taken, and answers every other question with 404.
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';
import { busyMarket } from './busy-market.ts';

const count = Number(process.argv[2]);
const { frames } = busyMarket(count, 2_700);
const server = createServer((_request, response) => response.writeHead(404).end());
const sockets = new WebSocketServer({ server, perMessageDeflate: false });

sockets.on('connection', (socket) => {
  let next = 0;
  const send = () => {
    // 64 KiB at most wait in this process, so that the receiver sets the pace.
    while (next < frames.length && socket.bufferedAmount < 65_536)
      socket.send(frames[next++] ?? '');
    if (next < frames.length) setImmediate(send);
  };
  send();
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.send?.(typeof address === 'object' ? address?.port : undefined);
});
process.on('disconnect', () => process.exit(0));
