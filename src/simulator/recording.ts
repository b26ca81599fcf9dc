import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Micros } from '../base/clock.ts';
import { combined } from './frame.ts';
import type { TimeUnit } from './frame.ts';
import { SimulatedMarket } from './simulated-market.ts';
import { parseStream } from './stream.ts';
import type { StreamKind } from './stream.ts';

/** One recorded event. */
export type RecordedFrame = {
  readonly time: Micros;
  readonly stream: string;
  /** The raw event as JSON. */
  readonly payload: string;
};

/** A line of a recording: nanoseconds since 1970, a space, the event as a combined stream sends it. */
export function recordingLine({ time, stream, payload }: RecordedFrame): string {
  return textLine(time, combined(stream, payload));
}

function textLine(time: Micros, text: string): string {
  return `${time}000 ${text}\n`;
}

/**
 * What a simulator of that seed sends on these streams within (from, to], in order, without a
 * socket and as fast as it can be made.
 * @throws RangeError for a stream that the simulator has not got
 */
export function* generateFrames(options: {
  readonly seed: string;
  readonly streams: readonly string[];
  readonly from: Micros;
  readonly to: Micros;
  readonly timeUnit?: TimeUnit;
}): Generator<RecordedFrame, void, void> {
  const { seed, from, to, timeUnit = 'ms' } = options;
  const market = new SimulatedMarket(seed);
  const streams = new Map<string, Set<StreamKind>>();
  for (const name of options.streams) {
    const stream = parseStream(name);
    if (stream === undefined) throw new RangeError(`Expected a stream's name, got ${name}`);
    streams.set(stream.symbol, (streams.get(stream.symbol) ?? new Set()).add(stream.kind));
  }
  for (let begin = from; begin < to; begin += chunkMicros) {
    for (const frame of market.frames(streams, begin, Math.min(to, begin + chunkMicros))) {
      yield { time: frame.sentTime, stream: frame.stream, payload: frame.payload(timeUnit) };
    }
  }
}

/** Frames are generated a second at a time. */
const chunkMicros = 1_000_000;

/** Bytes that wait for a slow disk; a recording that falls behind further is given up. */
const maxWaitingBytes = 64 * 1024 * 1024;

/** A file that frames are written to; disposing it writes out what is left. */
export interface Recorder extends AsyncDisposable {
  write(frame: RecordedFrame): void;
  /** Writes a text as it was sent, which may be no event; it must not have line breaks. */
  writeText(time: Micros, text: string): void;
  /** Rejects when the file cannot be written, or not fast enough. */
  readonly failed: Promise<never>;
}

/**
 * Opens a recording; it is compressed when the file's name ends in .gz.
 * @throws Error when the file cannot be created
 */
export async function openRecorder(file: string): Promise<Recorder> {
  const output = createWriteStream(file);
  await once(output, 'open');
  const input = file.endsWith('.gz') ? createGzip() : output;
  if (input !== output) input.pipe(output);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  const done = finished(output);
  done.catch((cause: unknown) => {
    reject(new Error(`Writing the recording ${file} failed`, { cause }));
  });
  // Whoever asks for it hears of it; nobody has to.
  failed.catch(() => {});
  const writeLine = (line: string) => {
    if (!input.writable || output.destroyed) return;
    input.write(line);
    if (input.writableLength > maxWaitingBytes) {
      output.destroy(new Error(`Expected at most ${maxWaitingBytes} bytes to wait for the disk`));
    }
  };
  return {
    failed,
    write: (frame) => writeLine(recordingLine(frame)),
    writeText: (time, text) => writeLine(textLine(time, text)),
    async [Symbol.asyncDispose]() {
      input.end();
      await done.catch(() => {});
    },
  };
}
