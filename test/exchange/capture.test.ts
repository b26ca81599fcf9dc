import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import { candleToCsv } from '../../src/cli/candle-record.ts';
import { timeframes } from '../../src/domain/timeframe.ts';
import { Capture } from '../../src/exchange/capture.ts';
import type { CaptureOptions } from '../../src/exchange/capture.ts';
import { Market } from '../../src/market/market.ts';
import { CandleCollection } from '../../src/replay/candle-collection.ts';
import { replayCaptures } from '../../src/replay/replay-captures.ts';
import { noon } from '../support/builders.ts';
import { eventually } from '../support/eventually.ts';
import { openStreams } from '../support/streaming-feed.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { TwinClock } from '../support/twin-clock.ts';
import { withLastTrades } from '../support/twin-feed.ts';

async function openCapture(options: Partial<CaptureOptions> = {}) {
  const directory = join(temporaryDirectory(), 'captures');
  const clock = new TwinClock(noon);
  const capture = await Capture.open({
    directory,
    exchangeName: 'binance',
    maximumBytes: 1e9,
    clock,
    logger: silentLogger,
    ...options,
  });
  return {
    capture,
    clock,
    directory: options.directory ?? directory,
    names: () => readdirSync(options.directory ?? directory).toSorted(),
    [Symbol.asyncDispose]: () => capture[Symbol.asyncDispose](),
  };
}

function textOf(directory: string, name: string): string {
  return gunzipSync(readFileSync(join(directory, name))).toString();
}

async function csvOf(paths: readonly string[]): Promise<string> {
  const options = { exchange: 'sim-binance', timeUnit: 'millisecond', timeframes } as const;
  const { candles } = await replayCaptures(paths, { ...options, onProgress: () => {} });
  return [...candles.sorted()].map(candleToCsv).join('\n');
}

test('what a feed received is replayed to the same candles, byte for byte, over an hour’s end and a handover', async () => {
  const directory = join(temporaryDirectory(), 'captures');
  const live = new CandleCollection(timeframes);
  const market = new Market({
    run: 1,
    publish: (update) => {
      if (update.type === 'candle') live.put(update.candle);
    },
  });
  const clock = new TwinClock(noon);
  const capture = await Capture.open({
    directory,
    exchangeName: 'sim-binance',
    maximumBytes: 1e9,
    clock,
    logger: silentLogger,
  });
  let last = 0;
  await using setup = await openStreams({
    symbols: ['BTCUSDT', 'ETHUSDT'],
    // What REST tells is not in the frames: here it knows nothing.
    exchange: withLastTrades(() => undefined),
    settings: { tickMs: 5000, replaceAfterMs: 1_800_000, silenceTimeoutMs: 1e9 },
    onFrame: (frame, receivedTime) => {
      last = receivedTime;
      capture.take(frame, receivedTime);
    },
  });
  const { trade, tick, twin, streams, events } = setup;
  for (let second = 0; second < 3700; second++) {
    // Now and then only one of them, or a silence.
    if (second % 7 !== 3) trade('BTCUSDT');
    if (second % 11 === 5) trade('ETHUSDT');
    if (second % 13 === 6) tick('ETHUSDT');
    await setup.clock.advance(1000);
    await setup.settle();
    if (streams.connections < twin.upgrades.length) {
      await eventually(() => streams.connections === twin.upgrades.length);
    }
  }
  expect(streams.connections).toBeGreaterThan(1);
  for (const event of events) market.handle(event);
  market.tick(last);
  market.endObservation(last);
  await capture[Symbol.asyncDispose]();

  const names = readdirSync(directory).toSorted();
  expect(names).toHaveLength(2);
  expect(names[1]).toMatch(/^sim-binance-20260101T130000\.\d{3}Z\.gz$/);
  const replayed = await csvOf(names.map((name) => join(directory, name)));
  expect(replayed.split('\n').length).toBeGreaterThan(7000);
  expect(replayed).toBe([...live.sorted()].map(candleToCsv).join('\n'));
}, 60_000);

test('lines are the time in nanoseconds and the frame, a file an hour', async () => {
  await using setup = await openCapture();
  const { capture, directory, names } = setup;
  capture.take('{"a":1}', noon);
  capture.take('{\n"b":"é"\r\n}', noon + 1_500_001);
  capture.take('{}', noon + 3_600_000_000);
  await capture[Symbol.asyncDispose]();
  expect(names()).toEqual(['binance-20260101T120000.000Z.gz', 'binance-20260101T130000.000Z.gz']);
  expect(textOf(directory, names()[0] ?? '')).toBe(
    '1767268800000000000 {"a":1}\n1767268801500001000 { "b":"é"  }\n',
  );
  expect(textOf(directory, names()[1] ?? '')).toBe('1767272400000000000 {}\n');
  expect(capture.counters).toEqual({ frames: 3, droppedFrames: 0 });
});

test('a process that is killed leaves whole lines up to the last second', async () => {
  await using setup = await openCapture();
  const { capture, clock, directory, names } = setup;
  for (let second = 0; second < 5; second++) {
    capture.take(`{"second":${second}}`, clock.now());
    await clock.advance(1000);
    await eventually(() => capture.counters.frames === second + 1);
  }
  const copy = join(directory, 'copy');
  copyFileSync(join(directory, names()[0] ?? ''), copy);
  expect(textOf(directory, 'copy').split('\n')).toHaveLength(6);
});

test('a second capture within the same millisecond gets a file of its own', async () => {
  const first = await openCapture();
  first.capture.take('{"first":1}', noon);
  await first.capture[Symbol.asyncDispose]();
  const second = await openCapture({ directory: first.directory });
  second.capture.take('{"second":1}', noon);
  await second.capture[Symbol.asyncDispose]();
  expect(first.names()).toEqual([
    'binance-20260101T120000.000Z.gz',
    'binance-20260101T120000.001Z.gz',
  ]);
});

test('beyond its queue’s bound frames are dropped and counted, and those before are kept', async () => {
  await using setup = await openCapture({ bounds: { queueBytes: 1000, batchBytes: 100 } });
  const { capture, directory, names } = setup;
  for (let frame = 0; frame < 1000; frame++) capture.take('{"a":1}', noon);
  const { droppedFrames } = capture.counters;
  expect(droppedFrames).toBeGreaterThan(900);
  await capture[Symbol.asyncDispose]();
  expect(capture.counters.frames + capture.counters.droppedFrames).toBe(1000);
  expect(textOf(directory, names()[0] ?? '').split('\n')).toHaveLength(1000 - droppedFrames + 1);
});

test('beyond the bytes that are allowed the oldest files are deleted, and no others', async () => {
  const setup = await openCapture({ maximumBytes: 4000 });
  const { capture, directory, names } = setup;
  const foreign = ['sim-binance-20200101T000000.000Z.gz', 'binance-notes.gz', 'binance.gz'];
  for (const name of foreign) writeFileSync(join(directory, name), 'x'.repeat(5000));
  writeFileSync(join(directory, 'binance-20200101T000000.000Z.gz'), 'x'.repeat(5000));
  for (let batch = 0; batch < 20; batch++) {
    const noise = Array.from({ length: 500 }, (_, index) => (index * batch * 7919) % 1009).join();
    capture.take(`{"noise":[${noise}]}`, noon + batch * 1_000_000);
    await setup.clock.advance(1000);
    await eventually(() => capture.counters.frames === batch + 1);
  }
  await capture[Symbol.asyncDispose]();
  const own = names().filter((name) => !foreign.includes(name));
  expect(names()).toEqual(expect.arrayContaining(foreign));
  expect(own.length).toBeGreaterThan(1);
  expect(own).not.toContain('binance-20200101T000000.000Z.gz');
  expect(own.at(-1)).toMatch(/T12001\d/);
  const bytes = own.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
  expect(bytes).toBeLessThanOrEqual(4000);
});

test('a disk that fails costs frames of the capture, and after a while it is tried again', async () => {
  await using setup = await openCapture();
  const { capture, clock, directory } = setup;
  rmSync(directory, { recursive: true });
  capture.take('{"lost":1}', clock.now());
  await clock.advance(1000);
  await eventually(() => capture.counters.droppedFrames === 1);
  mkdirSync(directory);
  capture.take('{"lost":2}', clock.now());
  await clock.advance(1000);
  await eventually(() => capture.counters.droppedFrames === 2);
  await clock.advance(10_000);
  capture.take('{"kept":1}', clock.now());
  await clock.advance(1000);
  await eventually(() => capture.counters.frames === 1);
});
