import { expect, test } from 'vitest';
import { BatchBuffer } from '../../src/persistor/batch-buffer.ts';
import type { StreamBatch } from '../../src/persistor/stream-batch.ts';
import { aGap } from '../support/a-candle.ts';
import { streamedCandle } from '../support/twin-candle-stream.ts';
import { TwinClock } from '../support/twin-clock.ts';

const piece = (n: number, cursor: string | undefined = String(n)): StreamBatch => ({
  candles: [streamedCandle(n)],
  gaps: [],
  cursor,
});
const open = (bounds: { batchRows?: number; bufferRows?: number } = {}) => {
  const clock = new TwinClock();
  const buffer = new BatchBuffer(clock, {
    batchRows: 3,
    batchLatencyMs: 100,
    bufferRows: 5,
    ...bounds,
  });
  return { clock, buffer };
};
/** Whether a promise has settled when all that can happen by itself has happened. */
const isSettled = async (promise: Promise<unknown>) => {
  let settled = false;
  void promise.then(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
};

test('a batch is given when it is full, in order, with the last cursor', async () => {
  const { buffer } = open();
  const batch = buffer.take();
  await buffer.add(piece(1));
  await buffer.add(piece(2));
  expect(await isSettled(batch)).toBe(false);
  await buffer.add(piece(3));
  expect(await batch).toEqual({
    candles: [streamedCandle(1), streamedCandle(2), streamedCandle(3)],
    gaps: [],
    cursor: '3',
  });
  expect(buffer.rows).toBe(0);
});

test('a batch that is not full is given when its first row has waited long enough', async () => {
  const { buffer, clock } = open();
  const batch = buffer.take();
  await buffer.add(piece(1));
  clock.moveTo(clock.now() + 60_000);
  await buffer.add({ candles: [], gaps: [aGap()], cursor: '2' });
  clock.moveTo(clock.now() + 39_999);
  expect(await isSettled(batch)).toBe(false);
  clock.moveTo(clock.now() + 1);
  expect(await batch).toEqual({ candles: [streamedCandle(1)], gaps: [aGap()], cursor: '2' });
});

test('the next batch waits for its own time', async () => {
  const { buffer, clock } = open();
  await buffer.add(piece(1));
  clock.moveTo(clock.now() + 100_000);
  await buffer.take();
  const next = buffer.take();
  await buffer.add(piece(2));
  clock.moveTo(clock.now() + 99_999);
  expect(await isSettled(next)).toBe(false);
  clock.moveTo(clock.now() + 1);
  expect((await next)?.cursor).toBe('2');
});

test('a place in the stream without rows is given, too', async () => {
  const { buffer, clock } = open();
  await buffer.add({ candles: [], gaps: [], cursor: '1' });
  clock.moveTo(clock.now() + 100_000);
  expect(await buffer.take()).toEqual({ candles: [], gaps: [], cursor: '1' });
});

test('a batch of pieces without a cursor has none; with some it has the last one of them', async () => {
  const { buffer } = open({ batchRows: 2 });
  await buffer.add({ ...piece(1), cursor: undefined });
  await buffer.add({ ...piece(2), cursor: undefined });
  expect((await buffer.take())?.cursor).toBeUndefined();
  await buffer.add(piece(3));
  await buffer.add({ ...piece(4), cursor: undefined });
  expect((await buffer.take())?.cursor).toBe('3');
});

test('the reader waits while the buffer is full', async () => {
  const { buffer } = open();
  for (const n of [1, 2, 3, 4]) await buffer.add(piece(n));
  const added = buffer.add(piece(5));
  expect(await isSettled(added)).toBe(false);
  expect(buffer.rows).toBe(5);
  expect((await buffer.take())?.candles).toHaveLength(3);
  expect(await isSettled(added)).toBe(true);
});

test('a closed buffer gives what it has, at once, takes nothing and holds nobody up', async () => {
  const { buffer } = open({ bufferRows: 2 });
  await buffer.add(piece(1));
  const added = buffer.add(piece(2));
  buffer.close();
  expect(await isSettled(added)).toBe(true);
  await buffer.add(piece(3));
  expect((await buffer.take())?.cursor).toBe('2');
  expect(await buffer.take()).toBeUndefined();
});

test('who waits for a batch learns that the buffer was closed', async () => {
  const { buffer } = open();
  const batch = buffer.take();
  buffer.close();
  expect(await batch).toBeUndefined();
});
