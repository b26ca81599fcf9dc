import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PendingFrames } from '../../src/rpc/pending-frames.ts';
import { SharedFrame } from '../../src/rpc/shared-frame.ts';
import type { FrameRules } from '../../src/rpc/shared-frame.ts';

const frame = (text: string, rules?: FrameRules) => new SharedFrame(() => Buffer.from(text), rules);

/** The messages of joined envelopes. */
function messagesOf(bytes: Uint8Array): string[] {
  const messages: string[] = [];
  for (let rest = Buffer.from(bytes); rest.length > 0;) {
    const length = rest.readUInt32BE(1);
    messages.push(rest.subarray(5, 5 + length).toString());
    rest = rest.subarray(5 + length);
  }
  return messages;
}

function pending(...frames: readonly SharedFrame[]): PendingFrames {
  const all = new PendingFrames('binary');
  for (const one of frames) all.add(one);
  return all;
}

test('frames go out in the order in which they came, the same one as often as it came', () => {
  const again = frame('again');
  expect(messagesOf(pending(frame('a'), again, frame('b'), again).take(1_000))).toEqual([
    'a',
    'again',
    'b',
    'again',
  ]);
});

test('a newer frame of the same key replaces the waiting one, and goes to the end', () => {
  const frames = pending(
    frame('open 1', { conflateKey: 'x' }),
    frame('closed'),
    frame('open 2', { conflateKey: 'x' }),
  );
  expect(messagesOf(frames.take(1_000))).toEqual(['closed', 'open 2']);
});

test('frames of other keys do not replace each other', () => {
  const frames = pending(frame('x', { conflateKey: 'x' }), frame('y', { conflateKey: 'y' }));
  expect(messagesOf(frames.take(1_000))).toEqual(['x', 'y']);
});

test('a frame takes out the waiting one that it supersedes', () => {
  const frames = pending(
    frame('open', { conflateKey: 'x' }),
    frame('other', { conflateKey: 'y' }),
    frame('closed', { supersedes: 'x' }),
  );
  expect(messagesOf(frames.take(1_000))).toEqual(['other', 'closed']);
});

test('no more is taken than fits, but one frame at least', () => {
  const frames = pending(frame('12345'), frame('12345'), frame('12345'));
  expect(messagesOf(frames.take(20))).toHaveLength(2);
  expect(messagesOf(frames.take(1))).toHaveLength(1);
  expect(frames.isEmpty).toBe(true);
});

test('the byte count is that of what waits, whatever happens', () => {
  const key = fc.constantFrom('x', 'y', undefined);
  const add = fc.record({ text: fc.string(), conflateKey: key, supersedes: key });
  const take = fc.nat(40);
  fc.assert(
    fc.property(fc.array(fc.oneof(add, take)), (steps) => {
      const frames = new PendingFrames('binary');
      for (const step of steps) {
        if (typeof step === 'number') {
          frames.take(step);
        } else {
          const { text, conflateKey, supersedes } = step;
          frames.add(
            frame(text, {
              ...(conflateKey === undefined ? {} : { conflateKey }),
              ...(supersedes === undefined ? {} : { supersedes }),
            }),
          );
        }
      }
      const { byteLength } = frames;
      expect(frames.take(Number.MAX_SAFE_INTEGER)).toHaveLength(byteLength);
      expect(frames.byteLength).toBe(0);
      expect(frames.isEmpty).toBe(true);
    }),
  );
});

test('a message is encoded once a codec, when it is first asked for', () => {
  const codecs: string[] = [];
  const shared = new SharedFrame((codec) => {
    codecs.push(codec);
    return Buffer.from(codec);
  });
  expect(codecs).toEqual([]);
  expect(shared.bytes('binary')).toBe(shared.bytes('binary'));
  expect(shared.bytes('json')).toBe(shared.bytes('json'));
  expect(codecs).toEqual(['binary', 'json']);
});
