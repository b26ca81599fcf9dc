import type { IncomingMessage, Server } from 'node:http';
import { WebSocketServer } from 'ws';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { Connection } from './connection.ts';
import type { TimeUnit } from './frame.ts';
import { answerOf, parseStreams, subscribeAll } from './stream-request.ts';
import type { Subscribers } from './subscribers.ts';

/** A SUBSCRIBE of 1024 streams fits; a larger message ends its connection. */
const maxMessageBytes = 128 * 1024;

type Form = {
  readonly isCombined: boolean;
  readonly unit: TimeUnit;
  readonly streams: readonly string[];
};

/** Takes WebSockets at `/ws`, `/ws/<stream>` and `/stream?streams=…` of an HTTP server. */
export function openWebSocketDoor(
  server: Server,
  surroundings: {
    readonly clock: Clock;
    readonly logger: Logger;
    readonly subscribers: Subscribers;
  },
): Disposable {
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const form = readForm(request);
    if (form === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new Connection(webSocket, form, surroundings);
      try {
        subscribeAll(parseStreams(form.streams), connection);
      } catch (error) {
        const answer = answerOf(error);
        if (answer === undefined) throw error;
        connection.sendAnswer(answer);
      }
    });
  });
  return {
    [Symbol.dispose]: () => {
      for (const webSocket of sockets.clients) webSocket.terminate();
      sockets.close();
    },
  };
}

/** What a URL asks for; undefined for a path that is none of the three or not well-formed. */
function readForm(request: IncomingMessage): Form | undefined {
  const url = URL.parse(request.url ?? '/', 'http://simulator');
  if (url === null) return undefined;
  const unit = /^microsecond$/i.test(url.searchParams.get('timeUnit') ?? '') ? 'us' : 'ms';
  if (url.pathname === '/stream') {
    const streams = namesIn(url.searchParams.get('streams') ?? '');
    return { isCombined: true, unit, streams };
  }
  if (url.pathname !== '/ws' && !url.pathname.startsWith('/ws/')) return undefined;
  try {
    const streams = namesIn(decodeURIComponent(url.pathname.slice('/ws/'.length)));
    return { isCombined: false, unit, streams };
  } catch {
    return undefined;
  }
}

function namesIn(list: string): readonly string[] {
  return list.split('/').filter((name) => name !== '');
}
