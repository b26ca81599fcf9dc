import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PendingFrames } from '../../../src/rpc/broadcast/pending-frames.ts';
import { SharedFrame } from '../../../src/rpc/broadcast/shared-frame.ts';
import type { FrameRules } from '../../../src/rpc/broadcast/shared-frame.ts';

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

test('however frames come and are taken, what goes out is what an obvious model sends', () => {
  const key = fc.constantFrom('x', 'y', 'z', undefined);
  const add = fc.record({ text: fc.string(), conflateKey: key, supersedes: key });
  const take = fc.integer({ min: 1, max: 60 });
  // Long runs without a take, so that the holes of replaced frames are cleared away, too.
  const steps = fc.array(fc.oneof({ weight: 30, arbitrary: add }, take), { size: 'large' });
  fc.assert(
    fc.property(steps, (steps) => {
      const frames = new PendingFrames('binary');
      let model: { text: string; conflateKey: string | undefined }[] = [];
      for (const step of steps) {
        if (typeof step === 'number') {
          const sent = messagesOf(frames.take(step));
          expect(sent).toEqual(model.slice(0, sent.length).map(({ text }) => text));
          expect(sent.length > 0 || model.length === 0).toBe(true);
          model = model.slice(sent.length);
        } else {
          const { text, conflateKey, supersedes } = step;
          frames.add(
            frame(text, {
              ...(conflateKey === undefined ? {} : { conflateKey }),
              ...(supersedes === undefined ? {} : { supersedes }),
            }),
          );
          const keys = [conflateKey, supersedes].filter((key) => key !== undefined);
          model = model.filter((other) => !keys.some((key) => key === other.conflateKey));
          model.push({ text, conflateKey });
        }
        expect(frames.isEmpty).toBe(model.length === 0);
      }
      const { byteLength } = frames;
      const rest = frames.take(Number.MAX_SAFE_INTEGER);
      expect(messagesOf(rest)).toEqual(model.map(({ text }) => text));
      expect(rest).toHaveLength(byteLength);
      expect([frames.byteLength, frames.isEmpty]).toEqual([0, true]);
    }),
  );
});

test('a frame that is replaced a million times takes no room', () => {
  const frames = pending(frame('first'));
  const open = frame('open', { conflateKey: 'x' });
  for (let count = 0; count < 1_000_000; count++) frames.add(open);
  expect(frames.byteLength).toBe(5 + 5 + 5 + 4);
  expect(messagesOf(frames.take(1_000))).toEqual(['first', 'open']);
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
