import { constants } from 'node:http2';
import type { ServerHttp2Session } from 'node:http2';
import { repeat } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';

/** The window in which pings are counted. */
const pingWindowMs = 10_000;
/** More than we write for answering one PING, TLS and all: beyond that we have sent data. */
const pingAnswerBytes = 100;

export type SessionOptions = {
  readonly clock: Clock;
  /** See ListenerLimits. */
  readonly maxIdlePings: number;
  /** See ListenerLimits. */
  readonly keepaliveMs: number;
  /** Called when a session is closed for what it did or did not do. */
  readonly onClosed: (reason: 'pings' | 'keepalive') => void;
};

type Session = { streams: number; isPinging: boolean };

/** The open HTTP/2 sessions: counts their clients' PINGs, sends our own, says goodbye. */
export class Sessions implements Disposable {
  readonly #options: SessionOptions;
  readonly #sessions = new Map<ServerHttp2Session, Session>();
  readonly #keepalive: Disposable;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#keepalive = repeat(options.clock, options.keepaliveMs, () => this.#pingAll());
  }

  add(session: ServerHttp2Session, bytesWritten: () => number): void {
    const state: Session = { streams: 0, isPinging: false };
    this.#sessions.set(session, state);
    session.once('close', () => this.#sessions.delete(session));
    session.on('error', () => {});
    session.on('stream', (stream) => {
      state.streams++;
      stream.once('close', () => state.streams--);
    });
    this.#limitPings(session, bytesWritten);
  }

  /** Sends GOAWAY to all: no new streams, the open ones go on. */
  goAway(): void {
    for (const session of this.#sessions.keys()) session.close();
  }

  [Symbol.dispose](): void {
    this.#keepalive[Symbol.dispose]();
    for (const session of this.#sessions.keys()) session.destroy();
  }

  /** Node answers every PING; nothing else would stop a flood of them. */
  #limitPings(session: ServerHttp2Session, bytesWritten: () => number): void {
    const { clock, maxIdlePings, onClosed } = this.#options;
    let windowStartMs = clock.monotonicMs();
    let written = bytesWritten();
    let pings = 0;
    session.on('ping', () => {
      const now = clock.monotonicMs();
      const writtenNow = bytesWritten();
      // gRPC clients ping after data to measure the line: those are as many as our own frames.
      const isAfterData = writtenNow - written > pingAnswerBytes;
      written = writtenNow;
      if (now - windowStartMs >= pingWindowMs) {
        windowStartMs = now;
        pings = 0;
      }
      if (isAfterData || ++pings <= maxIdlePings || session.destroyed) return;
      onClosed('pings');
      // Without an error Node would say NO_ERROR in its GOAWAY, whatever the code.
      session.destroy(new Error('Too many PINGs'), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });
  }

  #pingAll(): void {
    for (const [session, state] of this.#sessions) {
      if (state.streams === 0 || session.destroyed) continue;
      if (state.isPinging) {
        this.#options.onClosed('keepalive');
        session.destroy();
        continue;
      }
      state.isPinging = true;
      const isSent = session.ping(() => (state.isPinging = false));
      if (!isSent) state.isPinging = false;
    }
  }
}
