import { connect } from 'node:net';
import type { Clock } from '../../base/clock.ts';

export type TcpAddress = { readonly host: string; readonly port: number };

export type TcpListener = {
  opened(): void;
  chunk(bytes: Buffer): void;
  /** Once, as the last call: why it ended or never came about, in words for people. */
  ended(reason: string): void;
};

export type OpenTcp = {
  /** Drops the connection, or the attempt, at once. */
  terminate(reason: string): void;
};

/** Opens one TCP connection to read from and tells what becomes of it. Nothing is ever sent on it. */
export function openTcp(
  { host, port }: TcpAddress,
  listener: TcpListener,
  { clock, connectTimeoutMs }: { readonly clock: Clock; readonly connectTimeoutMs: number },
): OpenTcp {
  const socket = connect({ host, port });
  let end: string | undefined;
  const terminate = (reason: string) => {
    // What comes first is the cause; the rest follows from it.
    end ??= reason;
    socket.destroy();
  };
  const patience = clock.setTimer(connectTimeoutMs, () =>
    terminate(`No connection came about within ${connectTimeoutMs / 1000} s`),
  );
  socket.on('connect', () => {
    patience[Symbol.dispose]();
    listener.opened();
  });
  socket.on('data', (chunk) => {
    if (end === undefined && Buffer.isBuffer(chunk)) listener.chunk(chunk);
  });
  socket.on('error', (error) => {
    end ??= describe(error);
  });
  socket.on('close', () => {
    patience[Symbol.dispose]();
    listener.ended(end ?? 'The exchange closed the connection');
  });
  return { terminate };
}

/** Where all of a name's addresses refuse, Node's error has no message, only a code. */
function describe(error: Error): string {
  return error.message || ('code' in error ? String(error.code) : error.name);
}
