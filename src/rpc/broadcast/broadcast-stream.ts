import { Code, ConnectError } from '@connectrpc/connect';
import type { HandlerContext } from '@connectrpc/connect';
import { repeat } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import { Refusal } from '../../domain/refusal.ts';
import { BroadcastSubscription } from './broadcast-subscription.ts';
import { FlushTurn } from './flush-turn.ts';
import { streamFormatKey } from '../rest/stream-format.ts';
import { responseWriterKey } from '../listener/rpc-handler.ts';
import type { Codec, SharedFrame } from './shared-frame.ts';

/**
 * Some seventy thousand candles. A start publishes half of that within two seconds, the history of nine
 * instruments, and a reader on a busy machine has to be given time for it. Frames are shared: what waits
 * for many readers is in memory once.
 */
export const maxReaderBytes = 16 * 1024 * 1024;

export type BroadcastOptions = {
  readonly clock: Clock;
  /**
   * Makes the message that shows that a quiet stream is alive; called once a beat. undefined: the
   * contract has none.
   */
  readonly heartbeat: (() => SharedFrame) | undefined;
  /** Milliseconds of quiet after which a reader has got a heartbeat; default 10,000. */
  readonly heartbeatMs?: number;
} & ReaderLimits;

export type ReaderLimits = {
  /**
   * Bytes that may wait for one reader; beyond, its stream alone ends with RESOURCE_EXHAUSTED.
   * Default `maxReaderBytes`.
   */
  readonly maxPendingBytes?: number;
  /** Readers at once; beyond: refused ('limit', RESOURCE_EXHAUSTED). Default 20,000. */
  readonly maxSubscriptions?: number;
};

/**
 * The readers of one server-streaming RPC whose messages many share: each is encoded once and goes
 * to every reader as ready bytes, past Connect, which does all the rest (protocol, headers,
 * deadline, errors, trailers). In a handler:
 *
 *     async *streamCandles(request, context) {
 *       using subscription = broadcast.subscribe(context, { onEnd: () => … });
 *       yield* snapshot();            // ordinary messages, read now: nothing is lost in between
 *       yield* subscription.tail();   // what was pushed since subscribe, until the stream ends
 *     }
 *
 * and wherever something happens: `subscription.push(frame)`.
 */
export class Broadcast implements Disposable {
  readonly #heartbeat: (() => SharedFrame) | undefined;
  readonly #maxPendingBytes: number;
  readonly #maxSubscriptions: number;
  readonly #subscriptions = new Set<BroadcastSubscription>();
  /** Of readers who do not subscribe yet. */
  readonly #places = new Set<object>();
  readonly #turn = new FlushTurn();
  readonly #timer: Disposable;
  #overflows = 0;

  constructor(options: BroadcastOptions) {
    this.#heartbeat = options.heartbeat;
    this.#maxPendingBytes = options.maxPendingBytes ?? maxReaderBytes;
    this.#maxSubscriptions = options.maxSubscriptions ?? 20_000;
    // Twice within the time: who got nothing between two beats has been quiet for less than two.
    this.#timer = repeat(options.clock, (options.heartbeatMs ?? 10_000) / 2, () =>
      this.#beatWhereQuiet(),
    );
  }

  /** The number of readers, with those who only have a place. */
  get size(): number {
    return this.#subscriptions.size + this.#places.size;
  }

  /** The number of readers so far that were cut off because they fell too far behind. */
  get overflows(): number {
    return this.#overflows;
  }

  /**
   * Keeps a place for a reader who is sent a snapshot first: it counts as one from now on. To be
   * disposed in the turn in which it subscribes, or when it leaves before.
   * @throws Refusal 'limit' when there are too many
   */
  reserve(): Disposable {
    this.#checkRoom();
    const place = { [Symbol.dispose]: () => void this.#places.delete(place) };
    this.#places.add(place);
    return place;
  }

  /**
   * Adds the reader whose RPC this is. From now on frames can be pushed; they are sent when its
   * handler comes to `tail()`. `onEnd` is called once, in the turn in which the subscription ends,
   * for whatever reason.
   * @throws Refusal 'limit' when there are too many
   */
  subscribe(
    context: HandlerContext,
    { onEnd }: { readonly onEnd?: () => void } = {},
  ): BroadcastSubscription {
    this.#checkRoom();
    context.signal.throwIfAborted();
    const writer = context.values.get(responseWriterKey);
    if (writer === undefined) throw new Error('Expected a call that came through the listener');
    const plain = context.values.get(streamFormatKey);
    const subscription = new BroadcastSubscription({
      writer,
      codec: plain?.format ?? codecOf(context),
      signal: context.signal,
      responseHeader: plain?.header ?? context.responseHeader,
      maxPendingBytes: this.#maxPendingBytes,
      turn: this.#turn,
      onEnd: (isOverflow) => {
        if (isOverflow) this.#overflows++;
        this.#subscriptions.delete(subscription);
        onEnd?.();
      },
    });
    this.#subscriptions.add(subscription);
    return subscription;
  }

  /** Pushes to every reader. */
  push(frame: SharedFrame): void {
    for (const subscription of this.#subscriptions) subscription.push(frame);
  }

  /** Ends all streams with UNAVAILABLE, after what waits for them. */
  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    for (const subscription of this.#subscriptions) {
      subscription.end(new ConnectError('The stream has ended; open it again', Code.Unavailable));
    }
  }

  /** Sends a heartbeat to every reader. */
  beat(): void {
    if (this.#heartbeat !== undefined) this.push(this.#heartbeat());
  }

  #checkRoom(): void {
    if (this.size < this.#maxSubscriptions) return;
    throw new Refusal('limit', `At most ${this.#maxSubscriptions} readers of this stream`);
  }

  #beatWhereQuiet(): void {
    if (this.#heartbeat === undefined) return;
    let frame: SharedFrame | undefined;
    for (const subscription of this.#subscriptions) {
      if (subscription.wasQuiet()) subscription.push((frame ??= this.#heartbeat()));
    }
  }
}

function codecOf(context: HandlerContext): Codec {
  const contentType = context.responseHeader.get('content-type') ?? '';
  return contentType.includes('json') ? 'json' : 'binary';
}
