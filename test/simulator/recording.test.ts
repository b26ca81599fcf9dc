import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { generateFrames, recordingLine } from '../../src/simulator/recording.ts';
import { knownSymbols } from '../../src/simulator/symbol-profile.ts';
import { eventually } from '../support/eventually.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { aSimulator, noon } from './a-simulator.ts';

const streams = ['btcusdt@aggTrade', 'btcusdt@bookTicker', 'ltcbtc@trade', 'ltcbtc@bookTicker'];

test.each(['frames.txt', 'frames.txt.gz'])(
  '%s holds every frame that was sent once, as it would be generated',
  async (name) => {
    const file = join(temporaryDirectory(), name);
    const { connect, clock, simulator } = await aSimulator({ recordFile: file });
    const first = await connect(`/stream?streams=${streams.join('/')}`);
    await connect('/ws/btcusdt@aggTrade');
    await clock.advance(20_000, 500);
    await eventually(() => first.messages.length > 500);
    await simulator[Symbol.asyncDispose]();
    const bytes = readFileSync(file);
    const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    const expected = [
      ...generateFrames({ seed: 'test', streams, from: noon, to: noon + 20_000_000 }),
    ];
    expect(expected.length).toBeGreaterThan(500);
    expect(text).toBe(expected.map(recordingLine).join(''));
  },
);

test('a line is nanoseconds, a space and the event as a combined stream sends it', () => {
  const payload = '{"u":1}';
  const line = recordingLine({
    time: 1_795_000_000_123_456,
    stream: 'btcusdt@bookTicker',
    payload,
  });
  expect(line).toBe('1795000000123456000 {"stream":"btcusdt@bookTicker","data":{"u":1}}\n');
});

test('generated frames are in order of time and the same however they are cut', () => {
  const options = { seed: 'test', streams };
  const middle = noon + 7_654_321;
  const whole = [...generateFrames({ ...options, from: noon, to: noon + 20_000_000 })];
  const parts = [
    ...generateFrames({ ...options, from: noon, to: middle }),
    ...generateFrames({ ...options, from: middle, to: noon + 20_000_000 }),
  ];
  expect(parts).toEqual(whole);
  const times = whole.map(({ time }) => time);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
});

test('the nine known symbols send 150 to 300 frames a second', () => {
  const names = knownSymbols.flatMap((symbol) => [
    `${symbol.toLowerCase()}@aggTrade`,
    `${symbol.toLowerCase()}@bookTicker`,
  ]);
  const options = { seed: 'test', streams: names, from: noon, to: noon + 60_000_000 };
  const perSecond = [...generateFrames(options)].length / 60;
  expect(perSecond).toBeGreaterThan(150);
  expect(perSecond).toBeLessThan(300);
});

test('an unknown stream cannot be generated', () => {
  const frames = generateFrames({ seed: 'x', streams: ['btcusdt@x'], from: noon, to: noon + 1 });
  expect(() => frames.next()).toThrow(RangeError);
});

test('a recording that cannot be written fails the start', async () => {
  const recordFile = join(temporaryDirectory(), 'no', 'such', 'directory');
  await expect(aSimulator({ recordFile })).rejects.toThrow('ENOENT');
});
