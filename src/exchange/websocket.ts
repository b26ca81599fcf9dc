import { WebSocket } from 'ws';

export type WebSocketSettings = {
  /** A connection that is not up by then is given up. */
  readonly handshakeTimeoutMs: number;
  /** A longer message ends the connection (close code 1009). */
  readonly maximumFrameBytes: number;
};

/** Why and how a connection ended, or never came about. */
export type WebSocketEnd = {
  /** In words for people. */
  readonly reason: string;
  /** The HTTP status that the upgrade was refused with. */
  readonly status: number | undefined;
  readonly retryAfter: string | undefined;
};

export type WebSocketListener = {
  opened(): void;
  text(frame: string): void;
  binary(frame: Buffer): void;
  /** A ping or pong: a sign of life, but no data. */
  heartbeat(): void;
  /** Once, as the last call. */
  ended(end: WebSocketEnd): void;
};

export type OpenWebSocket = {
  /** What is sent on a connection that is not open, or not any more, is lost. */
  send(text: string): void;
  /** Drops the connection at once, without waiting for the other side: it may be long gone. */
  terminate(reason: string): void;
};

/** A message of data has one fragment; so many only a hostile or broken server sends. */
const fragmentLimit = 128;
const bufferedChunkLimit = 4096;

/** Opens one WebSocket and tells what becomes of it. Pings are answered by `ws` itself. */
export function openWebSocket(
  url: string,
  settings: WebSocketSettings,
  listener: WebSocketListener,
): OpenWebSocket {
  const socket = new WebSocket(url, {
    handshakeTimeout: settings.handshakeTimeoutMs,
    maxPayload: settings.maximumFrameBytes,
    maxFragments: fragmentLimit,
    maxBufferedChunks: bufferedChunkLimit,
    // A bomb costs its sender nothing, and the streams are not compressed anyway.
    perMessageDeflate: false,
    followRedirects: false,
  });
  let end: WebSocketEnd | undefined;
  const endWith = (reason: string, status?: number, retryAfter?: string) => {
    // What comes first is the cause; the rest follows from it.
    end ??= { reason, status, retryAfter };
  };
  const terminate = (reason: string) => {
    endWith(reason);
    socket.terminate();
  };

  socket.on('open', () => listener.opened());
  socket.on('message', (data, isBinary) => {
    // Frames that were read together with the one that made us leave.
    if (end !== undefined || !Buffer.isBuffer(data)) return;
    if (isBinary) listener.binary(data);
    else listener.text(data.toString());
  });
  socket.on('ping', () => listener.heartbeat());
  socket.on('pong', () => listener.heartbeat());
  socket.on('unexpected-response', (request, { statusCode, headers }) => {
    endWith(`The upgrade was refused with HTTP ${statusCode}`, statusCode, headers['retry-after']);
    request.destroy();
    socket.terminate();
  });
  socket.on('error', (error) => endWith(describe(error)));
  socket.on('close', (code, reason) => {
    endWith(
      code === 1006
        ? 'The connection was cut without a close frame'
        : `The exchange closed the connection with code ${code} ${reason.toString()}`.trimEnd(),
    );
    if (end !== undefined) listener.ended(end);
  });
  const send = (text: string) => {
    if (socket.readyState === WebSocket.OPEN) socket.send(text);
  };
  return { send, terminate };
}

/** Where all of a name's addresses refuse, Node's error has no message, only a code. */
function describe(error: Error): string {
  return error.message || ('code' in error ? String(error.code) : error.name);
}
