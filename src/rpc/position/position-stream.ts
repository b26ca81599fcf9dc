import type { HandlerContext } from '@connectrpc/connect';
import type {
  StreamPositionsRequest,
  StreamPositionsResponse,
} from '../../../gen/tradewind/position/v1/position_service_pb.ts';
import { repeat } from '../../base/clock.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import type { Position } from '../../domain/position.ts';
import type { PositionReader } from '../../position/position-reader.ts';
import type { LogTail } from '../../store/order/log-tail.ts';
import { Broadcast } from '../broadcast/broadcast-stream.ts';
import type { ReaderLimits } from '../broadcast/broadcast-stream.ts';
import type { BroadcastSubscription } from '../broadcast/broadcast-subscription.ts';
import { ChangeTeller } from './change-teller.ts';
import { ChangedPositions } from './changed-positions.ts';
import type { ChangedPosition } from './changed-positions.ts';
import type { InstrumentDirectory } from '../instrument-directory.ts';
import { checkLogCursor, parseLogCursor } from '../log-cursor.ts';
import type { PositionMarks } from './position-marks.ts';
import {
  frameOf,
  heartbeat,
  markFrame,
  positionElement,
  snapshotEnd,
} from './position-stream-messages.ts';
import { PositionStreamReader } from './position-stream-reader.ts';
import type { SharedFrame } from '../broadcast/shared-frame.ts';

export type PositionStreamOptions = ReaderLimits & {
  readonly tail: Pick<LogTail, 'position' | 'subscribe' | 'readAfter'>;
  readonly reader: Pick<PositionReader, 'position' | 'positions'>;
  readonly marks: PositionMarks;
  readonly directory: InstrumentDirectory;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** Of what a reader missed, read at once; and of its snapshot. */
const entriesPerPage = 1_000;
const positionsPerPage = 1_000;
/** A mark of each position goes out at most this often. */
const markPeriodMs = 1_000;

/** Carries changes of positions, by any server of the database, to StreamPositions' readers. */
export class PositionStream implements Disposable {
  readonly #options: PositionStreamOptions;
  readonly #broadcast: Broadcast;
  readonly #readers = new Map<BroadcastSubscription, PositionStreamReader>();
  readonly #markTimer: Disposable;
  readonly #teller: ChangeTeller;
  #following: Disposable | undefined;

  constructor(options: PositionStreamOptions) {
    this.#options = options;
    const { clock } = options;
    this.#teller = new ChangeTeller({
      ...options,
      read: (change) => this.#read(change),
      tell: (position, change) => this.#tell(position, change),
    });
    this.#broadcast = new Broadcast({
      ...options,
      heartbeat: () => frameOf(heartbeat(clock.now(), this.#teller.toldThrough)),
    });
    this.#markTimer = repeat(clock, markPeriodMs, () => this.#tellMarks());
  }

  /** Readers, and how many have been cut off for being too slow. */
  get statistics(): { readonly readers: number; readonly overflows: number } {
    return { readers: this.#broadcast.size, overflows: this.#broadcast.overflows };
  }

  async *stream(
    request: StreamPositionsRequest,
    context: HandlerContext,
  ): AsyncGenerator<StreamPositionsResponse> {
    const { tail, directory, reader: positions } = this.#options;
    const reader = PositionStreamReader.of(request, directory);
    const { resumeAfter } = request;
    const resumed = resumeAfter === '' ? undefined : parseLogCursor('p1', resumeAfter);
    // From before all that follows is read for it, perhaps for nothing.
    using place = this.#broadcast.reserve();
    this.#follow();
    if (resumed !== undefined) await checkLogCursor(tail, resumed);
    let position = resumed ?? tail.position ?? 0;
    yield* this.#snapshot(reader, resumed === undefined);
    for (let isSnapshot = true; ;) {
      const last = tail.position ?? 0;
      if (last <= position) {
        if (!isSnapshot) break;
        isSnapshot = false;
        yield snapshotEnd(position);
        continue;
      }
      const entries = await tail.readAfter(position, entriesPerPage);
      for (const change of new ChangedPositions(entries)) {
        const found = reader.wants(change) ? await positions.position(change) : undefined;
        if (found !== undefined && reader.takes(found)) yield this.#element(found, change.position);
      }
      position = entries.at(-1)?.position ?? last;
    }

    // In the turn in which the tail was met: what it hands out from now on is told to this reader.
    place[Symbol.dispose]();
    using subscription = this.#broadcast.subscribe(context, {
      onEnd: () => this.#readers.delete(subscription),
    });
    reader.seenThrough = position;
    this.#readers.set(subscription, reader);
    yield* subscription.tail();
  }

  /** From the first reader on; before, nobody has been told of anything. */
  #follow(): void {
    if (this.#following !== undefined) return;
    const { tail } = this.#options;
    this.#following = tail.subscribe((entries) => this.#teller.take(entries));
    this.#teller.startAfter(tail.position ?? 0);
  }

  /**
   * All positions that the reader wants, without cursors: who is cut off in the middle begins anew. A
   * reader who resumes is not sent them: they are what marks are told of.
   */
  async *#snapshot(
    reader: PositionStreamReader,
    isSent: boolean,
  ): AsyncGenerator<StreamPositionsResponse> {
    const { reader: positions } = this.#options;
    for (let after: string | undefined, isLast = false; !isLast;) {
      const page = await positions.positions(reader.account, { after, limit: positionsPerPage });
      for (const position of page) {
        if (!reader.wants(position)) continue;
        if (!isSent) reader.hold(position);
        else if (reader.takes(position)) yield this.#element(position, undefined);
      }
      after = page.at(-1)?.instrument;
      isLast = page.length < positionsPerPage;
    }
  }

  async #read(change: ChangedPosition): Promise<Position | undefined> {
    const isAsked = [...this.#readers.values()].some((reader) => reader.wants(change));
    return isAsked ? await this.#options.reader.position(change) : undefined;
  }

  #tell(found: Position, change: ChangedPosition): void {
    let frame: SharedFrame | undefined;
    for (const [subscription, reader] of this.#readers) {
      if (!reader.wants(change) || reader.has(change) || !reader.takes(found)) continue;
      subscription.push((frame ??= frameOf(this.#element(found, this.#teller.toldThrough))));
    }
  }

  #tellMarks(): void {
    for (const [subscription, reader] of this.#readers) {
      for (const { instrument, mark } of reader.newMarks(this.#options.marks)) {
        subscription.push(markFrame(instrument, mark, this.#teller.toldThrough));
      }
    }
  }

  #element(position: Position, through: number | undefined): StreamPositionsResponse {
    return positionElement(position, this.#options.marks.mark(position), through);
  }

  /** Ends all streams; each tells where it ended by a last heartbeat. */
  [Symbol.dispose](): void {
    this.#teller[Symbol.dispose]();
    this.#markTimer[Symbol.dispose]();
    this.#following?.[Symbol.dispose]();
    this.#broadcast.beat();
    this.#broadcast[Symbol.dispose]();
  }
}
