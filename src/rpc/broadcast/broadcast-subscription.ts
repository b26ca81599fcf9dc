import { Code, ConnectError } from '@connectrpc/connect';
import type { FlushTurn } from './flush-turn.ts';
import type { JoinedFrames } from './joined-frames.ts';
import { PendingFrames } from './pending-frames.ts';
import type { ResponseWriter } from '../listener/response-writer.ts';
import type { Codec, SharedFrame } from './shared-frame.ts';

/** What goes out in one write: so little that a slow but honest reader takes it within a stall. */
const maxChunkBytes = 64 * 1024;

export type BroadcastSubscriptionOptions = {
  readonly writer: ResponseWriter;
  readonly codec: Codec;
  /** The RPC's: aborted when the client leaves, at its deadline, when the server stops. */
  readonly signal: AbortSignal;
  /** Sent when the tail begins before any message. */
  readonly responseHeader: Headers;
  readonly maxPendingBytes: number;
  /** Writes what was pushed, at the end of the turn. */
  readonly turn: FlushTurn;
  readonly onEnd: (isOverflow: boolean) => void;
};

/** One reader of a Broadcast. */
export class BroadcastSubscription implements Disposable {
  readonly codec: Codec;
  readonly #options: BroadcastSubscriptionOptions;
  readonly #pending: PendingFrames;
  readonly #ended = Promise.withResolvers<void>();
  /** Whether the handler has come to the tail: from then on the response's body is ours. */
  #isTailing = false;
  #isBlocked = false;
  #isFlushSet = false;
  #isEnded = false;
  #wasQuiet = true;

  constructor(options: BroadcastSubscriptionOptions) {
    this.#options = options;
    this.codec = options.codec;
    this.#pending = new PendingFrames(options.codec);
    // An ended stream whose handler never comes to the tail is nobody's unhandled rejection.
    this.#ended.promise.catch(() => {});
    options.signal.addEventListener('abort', this.#aborted, { once: true });
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  /**
   * Queues a frame; it goes out, joined with the others of this turn, after the turn's input is
   * worked off. Never blocks. Beyond the bound the stream ends with RESOURCE_EXHAUSTED.
   */
  push(frame: SharedFrame): void {
    if (this.#isEnded) return;
    this.#wasQuiet = false;
    this.#pending.add(frame);
    const { maxPendingBytes } = this.#options;
    if (this.#pending.byteLength > maxPendingBytes) {
      this.#pending.clear();
      this.#end(
        new ConnectError(
          `The reader is too slow: more than ${maxPendingBytes} bytes wait for it`,
          Code.ResourceExhausted,
        ),
        true,
      );
    } else if (this.#isTailing && !this.#isBlocked && !this.#isFlushSet) {
      this.#isFlushSet = true;
      this.#options.turn.add(this);
    }
  }

  /** Writes what waits, as far as the reader has room. */
  flush(joined?: JoinedFrames): void {
    this.#isFlushSet = false;
    while (!this.#isBlocked && !this.#pending.isEmpty) {
      this.#isBlocked = !this.#options.writer.write(this.#pending.take(maxChunkBytes, joined));
    }
  }

  /** Ends the stream after what waits, with OK or the error. */
  end(error?: unknown): void {
    this.#end(error, false);
  }

  /** Ends the stream as its handler leaves; what waits and was not sent is dropped. */
  [Symbol.dispose](): void {
    this.end();
    this.#pending.clear();
  }

  /** Whether nothing was pushed since this was asked last. */
  wasQuiet(): boolean {
    const wasQuiet = this.#wasQuiet;
    this.#wasQuiet = true;
    return wasQuiet;
  }

  /**
   * Writes what was and what will be pushed, until the stream ends; yields nothing itself. What the
   * handler yielded before has been written by then, as its messages are only asked for one by one.
   * @throws what the stream ended with
   */
  tail(): AsyncIterable<never> {
    const next = async () => {
      await this.#writeTail();
      return { done: true, value: undefined } as const;
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async #writeTail(): Promise<void> {
    const { writer, responseHeader } = this.#options;
    writer.writeHead(200, responseHeader);
    this.#isTailing = true;
    if (this.#isEnded) {
      this.#flushAll();
    } else {
      writer.onDrain(this.#drained);
      this.flush();
    }
    await this.#ended.promise;
  }

  readonly #aborted = (): void => {
    this.end(this.#options.signal.reason);
  };

  readonly #drained = (): void => {
    this.#isBlocked = false;
    this.flush();
  };

  #end(error: unknown, isOverflow: boolean): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { signal, writer, onEnd } = this.#options;
    signal.removeEventListener('abort', this.#aborted);
    if (this.#isTailing) {
      writer.onDrain(undefined);
      this.#flushAll();
    }
    if (error === undefined) this.#ended.resolve();
    else this.#ended.reject(error);
    onEnd(isOverflow);
  }

  /** Whether the reader has room or not: it is bounded, and only the status comes after it. */
  #flushAll(): void {
    const { writer } = this.#options;
    while (!this.#pending.isEmpty && !writer.isGone)
      writer.write(this.#pending.take(maxChunkBytes));
    this.#pending.clear();
  }
}
