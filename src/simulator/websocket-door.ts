import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { Connection } from './connection.ts';
import type { ActiveFaults } from './faults/active-faults.ts';
import type { Refused } from './faults/refuse.ts';
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
    readonly faults: ActiveFaults;
    /** Where every connection is as long as it is open. */
    readonly connections: Set<Connection>;
  },
): Disposable {
  const { connections, faults } = surroundings;
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: maxMessageBytes,
  });
  // The server forgets a socket that it has handed over here; those without a WebSocket are ours.
  const wires = new Set<Duplex>();
  server.on('upgrade', (request, socket, head) => {
    wires.add(socket);
    socket.on('close', () => wires.delete(socket));
    socket.on('error', () => socket.destroy());
    const form = readForm(request);
    const refused =
      form === undefined
        ? { status: 404, headers: {}, text: '' }
        : faults.first((fault) => fault.refuse?.('websocket'));
    if (form === undefined || refused !== undefined) {
      if (refused === 'silence') socket.resume().on('end', () => socket.destroy());
      else if (refused !== undefined) socket.end(responseText(refused));
      return;
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const connection = new Connection([webSocket, socket], form, surroundings);
      connections.add(connection);
      webSocket.on('close', () => connections.delete(connection));
      try {
        subscribeAll(parseStreams(form.streams), connection);
      } catch (error) {
        const answer = answerOf(error);
        if (answer === undefined) throw error;
        connection.sendAnswer(answer);
      }
      const end = faults.first((fault) => fault.accept?.());
      if (end !== undefined) connection.endAfter(end);
    });
  });
  return {
    [Symbol.dispose]: () => {
      for (const webSocket of sockets.clients) webSocket.terminate();
      for (const wire of wires) wire.destroy();
      sockets.close();
    },
  };
}

function responseText({ status, headers, text }: Refused): string {
  const all = { ...headers, Connection: 'close', 'Content-Length': Buffer.byteLength(text) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${text}`;
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
