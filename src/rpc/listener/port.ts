import { setMaxListeners } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import type { Connections } from './connections.ts';
import type { ListenerLimits } from './listener-limits.ts';
import type { NodeRequest, NodeResponse } from './response-writer.ts';
import type { Sessions } from './sessions.ts';
import { sniff } from './sniff.ts';

export type PortOptions = {
  readonly limits: ListenerLimits;
  readonly clock: Clock;
  /** PEM; undefined: cleartext. */
  readonly tls: { readonly cert: Buffer; readonly key: Buffer } | undefined;
  readonly connections: Connections;
  readonly sessions: Sessions;
  readonly onRequest: (request: NodeRequest, response: NodeResponse) => void;
  /** Aborted when connections that have not said anything yet are to be closed. */
  readonly stopping: AbortSignal;
};

/**
 * A server, not listening yet, that serves HTTP/1.1 and HTTP/2 on its one port: cleartext, told
 * apart by the first bytes, or TLS, told apart by ALPN. An http.Server owns the port, because its
 * time limits for heads and requests work only where it does; connections that speak HTTP/2 are
 * handed to an http2.Server that never listens.
 */
export function createPortServer(options: PortOptions): http.Server | https.Server {
  const { limits, clock, tls, connections, stopping } = options;
  setMaxListeners(0, stopping);
  const server = createHttp1Server(options);
  const serveHttp2 = http2Server(options);

  // What Node itself does with a new connection: TLS or HTTP/1, and HTTP/1 after the handshake.
  const accept = takeListener(server, 'connection');
  if (tls === undefined) {
    server.on('connection', (socket: Socket) => {
      if (!connections.admit(socket)) return;
      sniff(
        socket,
        { clock, timeoutMs: limits.protocolTimeoutMs, signal: stopping },
        (protocol) => {
          if (protocol === 'http2') serveHttp2(socket);
          else accept(socket);
        },
      );
    });
  } else {
    const serveHttp1 = takeListener(server, 'secureConnection');
    server.on('connection', (socket: Socket) => {
      if (connections.admit(socket)) accept(socket);
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      socket.on('error', () => {});
      if (socket.alpnProtocol === 'h2') serveHttp2(socket);
      else serveHttp1(socket);
    });
  }
  return server;
}

function createHttp1Server({ limits, tls, onRequest }: PortOptions): http.Server | https.Server {
  const options: http.ServerOptions = {
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.requestTimeoutMs,
    connectionsCheckingInterval: limits.lateRequestCheckMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    maxHeaderSize: limits.maxHeaderBytes,
    keepAlive: true,
    noDelay: true,
  };
  const server =
    tls === undefined
      ? http.createServer(options, onRequest)
      : https.createServer(
          {
            ...options,
            ...tls,
            ALPNProtocols: ['h2', 'http/1.1'],
            minVersion: 'TLSv1.2',
            handshakeTimeout: limits.protocolTimeoutMs,
          },
          onRequest,
        );
  server.setTimeout(limits.idleTimeoutMs);
  return server;
}

/** Serves HTTP/2 on a connection. */
function http2Server({ limits, sessions, onRequest }: PortOptions): (socket: Socket) => void {
  const server = http2.createServer(
    {
      settings: {
        maxConcurrentStreams: limits.maxConcurrentStreams,
        initialWindowSize: limits.receiveWindowBytes,
        maxHeaderListSize: limits.maxHeaderBytes,
        enablePush: false,
      },
      maxHeaderListPairs: limits.maxHeaderPairs,
      maxSessionMemory: limits.sessionMemoryMb,
      unknownProtocolTimeout: limits.protocolTimeoutMs,
    },
    onRequest,
  );
  server.setTimeout(limits.idleTimeoutMs);
  let socketOfSession: Socket | undefined;
  server.on('session', (session) => {
    const socket = socketOfSession;
    if (socket === undefined) return;
    sessions.add(session, () => socket.bytesWritten);
    // A closed session leaves its socket open until the peer closes it, too; that may be never.
    session.once('close', () => socket.destroySoon());
  });
  return (socket) => {
    // http.Server leaves its sockets half open when the peer ends; a session does not notice that end,
    // so such a connection would stay until it is idle for too long.
    socket.allowHalfOpen = false;
    // The session is there before 'connection' is done with; its own socket hides the real one.
    socketOfSession = socket;
    server.emit('connection', socket);
    socketOfSession = undefined;
  };
}

/** Takes Node's own listener of an event off the server. */
function takeListener(
  server: http.Server | https.Server,
  event: 'connection' | 'secureConnection',
): (socket: Socket) => void {
  const [listener] = server.rawListeners(event);
  if (listener === undefined) throw new Error(`Expected Node to listen for '${event}' itself`);
  server.removeAllListeners(event);
  return (socket) => void listener.call(server, socket);
}
