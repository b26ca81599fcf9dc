import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import type {
  StreamPositionsRequest,
  StreamPositionsResponse,
} from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { StreamPositionsResponseSchema } from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { backoffDelayMs } from '../base/backoff.ts';
import { repeat, sleep } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import { formatDecimal, formatProduct } from '../base/decimal.ts';
import type { Logger } from '../base/logger.ts';
import { defaultAccount } from '../domain/account.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Position, PositionName } from '../domain/position.ts';
import type { PositionReader } from '../position/position-reader.ts';
import type { LogEntry } from '../store/log-reader.ts';
import type { LogTail } from '../store/log-tail.ts';
import { Broadcast } from './broadcast-stream.ts';
import type { ReaderLimits } from './broadcast-stream.ts';
import type { BroadcastSubscription } from './broadcast-subscription.ts';
import type { InstrumentDirectory } from './instrument-directory.ts';
import { formatLogCursor, parseLogCursor } from './log-cursor.ts';
import { timestampOf } from './messages.ts';
import { positionInstrument } from './position-instrument.ts';
import type { PositionMarks } from './position-marks.ts';
import { positionToMessage } from './position-messages.ts';
import { SharedFrame } from './shared-frame.ts';

export type PositionStreamOptions = ReaderLimits & {
  readonly tail: LogTail;
  readonly reader: PositionReader;
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
const retry = { minimumMs: 100, maximumMs: 5_000 };

type Reader = {
  readonly account: string;
  /** Undefined: all. */
  readonly instruments: ReadonlySet<InstrumentName> | undefined;
  /** What was sent last of each instrument: executions only become more, so more is newer. */
  readonly sent: Map<InstrumentName, Position>;
};

/** Carries changes of positions, by any server of the database, to StreamPositions' readers. */
export class PositionStream implements Disposable {
  readonly #options: PositionStreamOptions;
  readonly #broadcast: Broadcast;
  readonly #readers = new Map<BroadcastSubscription, Reader>();
  readonly #markTimer: Disposable;
  readonly #stop = new AbortController();
  /** Positions that changed and have not been told yet, up to `#changedThrough`. */
  #changed = new Map<string, PositionName>();
  #changedThrough = 0;
  #toldThrough = 0;
  #isTelling = false;
  #following: Disposable | undefined;

  constructor(options: PositionStreamOptions) {
    this.#options = options;
    const { clock } = options;
    this.#broadcast = new Broadcast({
      ...options,
      heartbeat: () =>
        frameOf({
          cursor: this.#cursor,
          event: { case: 'heartbeat', value: { time: timestampOf(clock.now()) } },
        }),
    });
    this.#markTimer = repeat(clock, markPeriodMs, () => this.#tellMarks());
  }

  /** Readers, and how many have been cut off for being too slow. */
  get statistics(): { readonly readers: number; readonly overflows: number } {
    return { readers: this.#broadcast.size, overflows: this.#broadcast.overflows };
  }

  get #cursor(): string {
    return formatLogCursor('p1', this.#toldThrough);
  }

  async *stream(
    request: StreamPositionsRequest,
    context: HandlerContext,
  ): AsyncGenerator<StreamPositionsResponse> {
    const { tail, directory } = this.#options;
    const instruments = request.instruments.map((name) =>
      positionInstrument(directory, 'instruments', name),
    );
    const reader: Reader = {
      account: request.account === '' ? defaultAccount : request.account,
      instruments: instruments.length === 0 ? undefined : new Set(instruments),
      sent: new Map(),
    };
    this.#following ??= tail.subscribe((entries) => this.#take(entries));
    this.#toldThrough = Math.max(this.#toldThrough, this.#isTelling ? 0 : (tail.position ?? 0));
    const { resumeAfter } = request;
    let position = resumeAfter === '' ? (tail.position ?? 0) : parseLogCursor('p1', resumeAfter);
    if (resumeAfter === '') yield* this.#snapshot(reader, position);
    for (;;) {
      const last = tail.position ?? 0;
      if (last <= position) break;
      const entries = await tail.readAfter(position, entriesPerPage);
      position = entries.at(-1)?.position ?? last;
      for (const name of changedNames(entries).values()) {
        const found = isWanted(reader, name) && (await this.#options.reader.position(name));
        if (found && isNews(reader, found)) yield this.#message(found, position);
      }
    }
    if (resumeAfter !== '') yield snapshotEnd(position);

    // In the turn in which the tail was met: what it hands out from now on is told to this reader.
    using subscription = this.#broadcast.subscribe(context, {
      onEnd: () => this.#readers.delete(subscription),
    });
    this.#readers.set(subscription, reader);
    yield* subscription.tail();
  }

  async *#snapshot(reader: Reader, through: number): AsyncGenerator<StreamPositionsResponse> {
    let after: InstrumentName | undefined;
    do {
      const page = await this.#options.reader.positions(reader.account, {
        after,
        limit: positionsPerPage,
      });
      for (const position of page) {
        if (isWanted(reader, position) && isNews(reader, position)) {
          yield this.#message(position, through);
        }
      }
      after = page.length < positionsPerPage ? undefined : page.at(-1)?.instrument;
    } while (after !== undefined);
    yield snapshotEnd(through);
  }

  #take(entries: readonly LogEntry[]): void {
    for (const [key, name] of changedNames(entries)) this.#changed.set(key, name);
    this.#changedThrough = entries.at(-1)?.position ?? this.#changedThrough;
    if (!this.#isTelling) void this.#tell();
  }

  /** Reads and tells what changed, over and over until nothing is left; waits out an outage. */
  async #tell(): Promise<void> {
    this.#isTelling = true;
    for (let failures = 0; this.#changed.size > 0 && !this.#stop.signal.aborted;) {
      const changed = this.#changed;
      const through = this.#changedThrough;
      this.#changed = new Map();
      try {
        for (const [key, name] of changed) {
          await this.#tellPosition(name, through);
          changed.delete(key);
        }
        this.#toldThrough = through;
        failures = 0;
      } catch (err) {
        this.#changed = new Map([...changed, ...this.#changed]);
        const delayMs = backoffDelayMs(failures++, retry);
        this.#options.logger.warn({ err, delayMs }, 'A changed position cannot be read');
        await sleep(this.#options.clock, delayMs, this.#stop.signal).catch(() => {});
      }
    }
    this.#isTelling = false;
    if (this.#changed.size === 0) this.#toldThrough = this.#changedThrough;
  }

  async #tellPosition(name: PositionName, through: number): Promise<void> {
    const isAsked = [...this.#readers.values()].some((reader) => isWanted(reader, name));
    const position = isAsked ? await this.#options.reader.position(name) : undefined;
    if (position === undefined) return;
    let frame: SharedFrame | undefined;
    for (const [subscription, reader] of this.#readers) {
      if (!isWanted(reader, name) || !isNews(reader, position)) continue;
      subscription.push((frame ??= frameOf(this.#messageInit(position, through))));
    }
  }

  #tellMarks(): void {
    for (const [subscription, reader] of this.#readers) {
      for (const position of reader.sent.values()) {
        const mark = this.#options.marks.mark(position);
        if (mark === undefined) continue;
        const value = {
          instrument: position.instrument,
          markPrice: formatDecimal(mark.markPrice),
          unrealizedProfit: formatProduct(mark.unrealizedProfit),
          time: timestampOf(mark.ticker.receivedTime),
        };
        const message = { cursor: this.#cursor, event: { case: 'mark' as const, value } };
        subscription.push(frameOf(message, `mark ${position.instrument}`));
      }
    }
  }

  #message(position: Position, through: number): StreamPositionsResponse {
    return create(StreamPositionsResponseSchema, this.#messageInit(position, through));
  }

  #messageInit(position: Position, through: number): ResponseInit {
    const value = Object.assign(positionToMessage(position), this.#options.marks.of(position));
    return { cursor: formatLogCursor('p1', through), event: { case: 'position', value } };
  }

  /** Ends all streams; each tells where it ended by a last heartbeat. */
  [Symbol.dispose](): void {
    this.#stop.abort();
    this.#markTimer[Symbol.dispose]();
    this.#following?.[Symbol.dispose]();
    this.#broadcast.beat();
    this.#broadcast[Symbol.dispose]();
  }
}

type ResponseInit = MessageInitShape<typeof StreamPositionsResponseSchema>;

/** The positions that entries are about, each once. */
function changedNames(entries: readonly LogEntry[]): ReadonlyMap<string, PositionName> {
  return new Map(
    entries
      .filter((entry) => entry.type === 'position')
      .map(({ account, instrument }) => [`${account} ${instrument}`, { account, instrument }]),
  );
}

function isWanted({ account, instruments }: Reader, name: PositionName): boolean {
  return name.account === account && (instruments?.has(name.instrument) ?? true);
}

/** Whether it is newer than what the reader has; notes that the reader has it. */
function isNews({ sent }: Reader, position: Position): boolean {
  const before = sent.get(position.instrument);
  if (before !== undefined && before.executionCount >= position.executionCount) return false;
  sent.set(position.instrument, position);
  return true;
}

function snapshotEnd(through: number): StreamPositionsResponse {
  return create(StreamPositionsResponseSchema, {
    cursor: formatLogCursor('p1', through),
    event: { case: 'snapshotEnd', value: {} },
  });
}

function frameOf(message: ResponseInit, conflateKey?: string): SharedFrame {
  return SharedFrame.of(
    StreamPositionsResponseSchema,
    create(StreamPositionsResponseSchema, message),
    conflateKey === undefined ? {} : { conflateKey },
  );
}
