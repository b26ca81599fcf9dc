import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants } from 'node:http2';
import type { Http2ServerRequest, Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import type { Clock, Timer } from '../../base/clock.ts';

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

/** Milliseconds for which the rest of a request that was answered already is thrown away. */
const lingerMs = 1_000;

/** Sends a whole answer, with the headers set before. */
export function answer(response: NodeResponse, status: number, body?: Buffer): void {
  response.statusCode = status;
  // (Two calls because the types of the two protocols' methods have nothing in common.)
  if ('stream' in response) {
    if (body === undefined) response.end();
    else response.end(body);
  } else {
    response.end(body);
  }
}

/**
 * Writes one response, over HTTP/1.1 or HTTP/2 alike, and watches its reader: one that leaves what
 * was written untaken for `stallMs` is cut off.
 */
export class ResponseWriter {
  readonly #request: NodeRequest;
  readonly #response: NodeResponse;
  /** What bytes are written to: over HTTP/2 the stream itself, which is the cheapest. */
  readonly #target: ServerResponse | ServerHttp2Stream;
  readonly #clock: Clock;
  readonly #stallMs: number;
  #stallTimer: Timer | undefined;
  #isGone = false;
  #onDrain: (() => void) | undefined;
  #onGone: (() => void)[] = [];

  constructor(
    request: NodeRequest,
    response: NodeResponse,
    options: { readonly clock: Clock; readonly stallMs: number },
  ) {
    this.#request = request;
    this.#response = response;
    this.#target = 'stream' in response ? response.stream : response;
    this.#clock = options.clock;
    this.#stallMs = options.stallMs;
    this.#target.on('drain', () => this.#drained());
    this.#target.on('close', () => this.#gone());
    // A reader that left is an ordinary thing: 'close' says so, too.
    this.#target.on('error', () => {});
    request.on('error', () => {});
    if (this.#target.destroyed) this.#gone();
  }

  get headersSent(): boolean {
    return this.#response.headersSent;
  }

  /** Whether nobody will read any more: the response has ended or its reader has left. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Calls back, once, in the turn in which the reader is gone; at once if it is already. */
  onGone(callback: () => void): void {
    if (this.#isGone) callback();
    else this.#onGone.push(callback);
  }

  /** Sets who is told that more may be written, after `write` said no. */
  onDrain(callback: (() => void) | undefined): void {
    this.#onDrain = callback;
  }

  /** Sends the head; those set on the response before go along. */
  writeHead(status: number, headers: Headers): void {
    if (this.#isGone || this.headersSent) return;
    for (const [name, value] of headers) this.#response.setHeader(name, value);
    if ('stream' in this.#response) this.#response.writeHead(status);
    else this.#response.writeHead(status);
  }

  /** Writes, without waiting. @returns whether more may be written before `onDrain` calls */
  write(bytes: Uint8Array): boolean {
    if (this.#isGone) return false;
    const mayGoOn = this.#target.write(bytes);
    if (!mayGoOn) this.#stallTimer ??= this.#clock.setTimer(this.#stallMs, () => this.cutOff());
    return mayGoOn;
  }

  /** Writes and waits until more may be written or the reader is gone. */
  async writeAll(bytes: Uint8Array): Promise<void> {
    if (this.write(bytes) || this.#isGone) return;
    await new Promise<void>((resolve) => {
      this.#onDrain = resolve;
      this.onGone(resolve);
    });
    this.#onDrain = undefined;
  }

  /** Ends the response and waits until it is written or its reader is gone. */
  async end(trailers?: Headers): Promise<void> {
    if (this.#isGone) return;
    if (trailers !== undefined) this.#response.addTrailers(Object.fromEntries(trailers));
    this.#stallTimer ??= this.#clock.setTimer(this.#stallMs, () => this.cutOff());
    await new Promise<void>((resolve) => {
      this.onGone(resolve);
      this.#response.once('finish', resolve);
      this.#response.end();
      this.#refuseRest();
    });
    this.#clearStallTimer();
  }

  /** Cuts the reader off: what was written and not taken is lost. */
  cutOff(): void {
    this.#clearStallTimer();
    if (this.#isGone) return;
    if ('rstCode' in this.#target) {
      this.#target.close(constants.NGHTTP2_ENHANCE_YOUR_CALM);
      // Where the whole connection is stuck, the reset is not sent either: do not wait for it.
      this.#target.destroy();
    } else {
      this.#target.destroy();
    }
  }

  /**
   * A request that was answered before it was all there must not go on arriving. What is under way
   * is thrown away for a moment first: a client that is cut off while it writes may not read.
   */
  #refuseRest(): void {
    const target = this.#target;
    const request = this.#request;
    const linger = (refuse: () => void) => {
      request.removeAllListeners('readable');
      request.resume();
      const timer = this.#clock.setTimer(lingerMs, refuse);
      request.once('end', () => timer[Symbol.dispose]());
      request.once('close', () => timer[Symbol.dispose]());
    };
    if ('rstCode' in target) {
      if (target.endAfterHeaders || request.complete) return;
      // Not before the trailers are out: a closed stream refuses them.
      target.once('wantTrailers', () => linger(() => target.close(constants.NGHTTP2_NO_ERROR)));
    } else {
      // Asked only now, because the request of a synchronous answer is not complete yet.
      target.once('finish', () => {
        if (!request.complete) linger(() => request.socket.destroySoon());
      });
    }
  }

  #drained(): void {
    this.#clearStallTimer();
    this.#onDrain?.();
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#clearStallTimer();
    this.#onDrain = undefined;
    const callbacks = this.#onGone;
    this.#onGone = [];
    for (const callback of callbacks) callback();
  }

  #clearStallTimer(): void {
    this.#stallTimer?.[Symbol.dispose]();
    this.#stallTimer = undefined;
  }
}
