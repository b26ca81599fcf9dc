import { expect, test } from 'vitest';
import { JoinedFrames } from '../../../src/rpc/broadcast/joined-frames.ts';
import { SharedFrame } from '../../../src/rpc/broadcast/shared-frame.ts';

const frame = (text: string) => new SharedFrame((codec) => Buffer.from(`${codec} ${text}`));
const [a, b, c] = [frame('a'), frame('b'), frame('c')];
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1').replaceAll('\0', '');

test('readers of the same frames share their bytes', () => {
  const joined = new JoinedFrames();
  expect(joined.bytes([a, b], 'binary')).toBe(joined.bytes([a, b], 'binary'));
});

test.each([
  ['a longer row', [a, b, c], 'binary', '\bbinary a\bbinary b\bbinary c'],
  ['a shorter row', [a], 'binary', '\bbinary a'],
  ['another row', [a, c], 'binary', '\bbinary a\bbinary c'],
  ['another codec', [a, b], 'json', '\u0006json a\u0006json b'],
  ['nothing', [], 'binary', ''],
] as const)('%s of frames is not mistaken for one that begins alike', (_name, row, codec, text) => {
  const joined = new JoinedFrames();
  joined.bytes([a, b], 'binary');
  expect(textOf(joined.bytes(row, codec))).toBe(text);
  expect(textOf(joined.bytes([a, b], 'binary'))).toBe('\bbinary a\bbinary b');
});

test('nothing is kept after the turn', () => {
  const joined = new JoinedFrames();
  const bytes = joined.bytes([a, b], 'binary');
  joined.clear();
  expect(joined.bytes([a, b], 'binary')).not.toBe(bytes);
});
