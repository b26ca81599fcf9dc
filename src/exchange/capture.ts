import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { repeat } from '../base/clock.ts';
import type { Clock, Micros } from '../base/clock.ts';
import { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import type { ExchangeName } from '../domain/instrument.ts';
import { CaptureFile, isCaptureName } from './capture-file.ts';

/** Takes a text frame as it was received. */
export type FrameHandler = (frame: string, receivedTime: Micros) => void;

export type CaptureOptions = {
  /** Is created where there is none. */
  readonly directory: string;
  readonly exchangeName: ExchangeName;
  /** Bytes on the disk of this exchange's captures; beyond, the oldest files are deleted. */
  readonly maximumBytes: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly bounds?: Partial<CaptureBounds>;
};

export type CaptureBounds = {
  /** What may wait to be written; beyond, frames are left out of the capture, and counted. */
  readonly queueBytes: number;
  /** What is compressed and written together at most. */
  readonly batchBytes: number;
  /** How often what waits is written. */
  readonly flushMs: number;
  /** How long nothing is tried after the disk has failed. */
  readonly retryMs: number;
};

const defaultBounds: CaptureBounds = {
  // About a second of the busiest market's frames, ten times over.
  queueBytes: 64 * 1024 * 1024,
  batchBytes: 1024 * 1024,
  // A process that is killed loses this much of its capture.
  flushMs: 1000,
  retryMs: 10_000,
};

const hour: Micros = 3_600_000_000;
const logPeriodMs = 60_000;

/** Lines that go to the same file. */
type Batch = { readonly hour: number; readonly time: Micros; text: string; frames: number };

/**
 * Writes every frame that is received, for replay: lines of "<ns> <frame>", one gzip file an hour.
 * The feed never waits for it: what the disk does not take in time is left out.
 */
export class Capture implements AsyncDisposable {
  readonly counters = { frames: 0, droppedFrames: 0 };
  readonly #options: CaptureOptions;
  readonly #bounds: CaptureBounds;
  readonly #limiter: LogLimiter;
  readonly #timer: Disposable;
  readonly #batches: Batch[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #file: CaptureFile | undefined;
  #fileHour = 0;
  #retryAtMs = -Infinity;
  #isClosed = false;

  private constructor(options: CaptureOptions) {
    this.#options = options;
    this.#bounds = { ...defaultBounds, ...options.bounds };
    this.#limiter = new LogLimiter(options.clock, logPeriodMs);
    this.#timer = repeat(options.clock, this.#bounds.flushMs, () => this.#flush());
  }

  /** @throws Error where the directory cannot be created */
  static async open(options: CaptureOptions): Promise<Capture> {
    await mkdir(options.directory, { recursive: true });
    return new Capture(options);
  }

  /** Takes a frame; returns at once. */
  readonly take: FrameHandler = (frame, receivedTime) => {
    // A line end within a frame can only be space between its JSON's parts.
    const line = `${receivedTime}000 ${frame.includes('\n') ? frame.replaceAll(/[\r\n]/gu, ' ') : frame}\n`;
    if (this.#isClosed || this.#waitingBytes + line.length > this.#bounds.queueBytes) {
      this.#drop(1, 'The disk is too slow');
      return;
    }
    this.#waitingBytes += line.length;
    const frameHour = Math.floor(receivedTime / hour);
    const last = this.#batches.at(-1);
    if (
      last === undefined ||
      last.hour !== frameHour ||
      last.text.length + line.length > this.#bounds.batchBytes
    ) {
      this.#batches.push({ hour: frameHour, time: receivedTime, text: line, frames: 1 });
      if (this.#batches.length > 1) this.#flush();
    } else {
      last.text += line;
      last.frames++;
    }
  };

  /** Writes what waits and closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer[Symbol.dispose]();
    this.#flush();
    await this.#writing;
    await this.#closeFile();
  }

  #flush(): void {
    if (this.#writing !== undefined || this.#batches.length === 0) return;
    this.#writing = this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    for (let batch = this.#batches.shift(); batch !== undefined; batch = this.#batches.shift()) {
      try {
        await this.#write(batch);
      } catch (error) {
        this.#retryAtMs = this.#options.clock.monotonicMs() + this.#bounds.retryMs;
        this.#drop(batch.frames, 'The disk does not take it', error);
        await this.#closeFile();
      } finally {
        this.#waitingBytes -= batch.text.length;
      }
    }
  }

  async #write(batch: Batch): Promise<void> {
    const { directory, exchangeName, clock, maximumBytes } = this.#options;
    if (clock.monotonicMs() < this.#retryAtMs) {
      this.#drop(batch.frames, 'The disk has failed a moment ago');
      return;
    }
    // Files of a quarter, so that much is left when the oldest one is deleted.
    const isFull = (this.#file?.size ?? 0) >= maximumBytes / 4;
    if (this.#fileHour !== batch.hour || isFull) await this.#closeFile();
    if (this.#file === undefined) {
      this.#file = await CaptureFile.create(directory, exchangeName, batch.time);
      this.#fileHour = batch.hour;
    }
    await this.#file.append(batch.text);
    this.counters.frames += batch.frames;
    if (this.#file.size >= maximumBytes / 4) await this.#closeFile();
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    try {
      await file.close();
      await this.#deleteOldest();
    } catch (error) {
      this.#warn('A capture was not closed well', { file: file.name, err: error });
    }
  }

  /** The newest files stay, as many as there is room for beside the one that comes next. */
  async #deleteOldest(): Promise<void> {
    const { directory, exchangeName, maximumBytes, logger } = this.#options;
    const names = (await readdir(directory)).filter((name) => isCaptureName(exchangeName, name));
    let bytes = maximumBytes / 4;
    for (const name of names.toSorted().toReversed()) {
      const path = join(directory, name);
      bytes += (await stat(path)).size;
      if (bytes <= maximumBytes) continue;
      await rm(path);
      logger.info({ file: name }, 'Deleted the oldest capture');
    }
  }

  #drop(frames: number, reason: string, error?: unknown): void {
    this.counters.droppedFrames += frames;
    const { droppedFrames } = this.counters;
    this.#warn('Frames are missing from the capture', { reason, droppedFrames, err: error });
  }

  #warn(message: string, fields: Readonly<Record<string, unknown>>): void {
    const due = this.#limiter.due(message);
    if (due !== undefined) this.#options.logger.warn({ ...fields, ...due }, message);
  }
}
