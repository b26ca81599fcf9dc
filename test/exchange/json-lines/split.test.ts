import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from '../../../src/exchange/json-lines/tcp-lines.ts';

type Told = { readonly lines: string[]; readonly notText: string[]; readonly isWhole: boolean };

/** What is told of these chunks; `isWhole`: no line was too long. */
function split(chunks: readonly Uint8Array[], limitBytes = 200): Told & { restBytes: number } {
  const lines: string[] = [];
  const notText: string[] = [];
  const splitter = new LineSplitter(limitBytes, {
    line: (text) => lines.push(text),
    notText: (bytes) => notText.push(bytes.toString('hex')),
  });
  const isWhole = chunks.every((chunk) => splitter.take(Buffer.from(chunk)));
  return { lines, notText, isWhole, restBytes: splitter.restBytes };
}

/** The bytes in pieces of these sizes, over and over. */
function pieces(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  for (let from = 0, index = 0; from < bytes.length; index++) {
    const size = sizes[index % sizes.length] ?? 1;
    chunks.push(bytes.subarray(from, from + size));
    from += size;
  }
  return chunks;
}

const someLine = fc.oneof(
  fc.constant(Buffer.from('{"symbol":"BTCUSDT","price":100123.45,"timestamp":1753000000000}')),
  fc
    .string({ unit: 'grapheme', maxLength: 30 })
    .map((text) => Buffer.from(text.replaceAll('\n', ''))),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10))),
  fc.constant(Buffer.from('\r')),
);

test('whatever the pieces that bytes come in, the same lines are told', () => {
  fc.assert(
    fc.property(
      fc.array(someLine, { maxLength: 30 }),
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => bytes.filter((byte) => byte !== 10)),
      (lines, sizes, rest) => {
        const bytes = Buffer.concat([...lines.flatMap((line) => [line, Buffer.from('\n')]), rest]);
        const isText = (line: Buffer) => Buffer.from(line.toString()).equals(line);
        const expected = {
          lines: lines.filter(isText).map(String),
          notText: lines.filter((line) => !isText(line)).map((line) => line.toString('hex')),
          isWhole: true,
          restBytes: rest.length,
        };
        expect(split(pieces(bytes, sizes))).toEqual(expected);
        expect(split(pieces(bytes, [1]))).toEqual(expected);
        expect(split([bytes])).toEqual(expected);
      },
    ),
  );
});

test('a character that is cut in two is whole again', () => {
  const bytes = Buffer.from('ab€cd\n');
  for (let at = 1; at < bytes.length; at++) {
    expect(split([bytes.subarray(0, at), bytes.subarray(at)]).lines).toEqual(['ab€cd']);
  }
});

test('a line that is no text is told apart from its neighbours', () => {
  const half = Buffer.from('€').subarray(0, 2);
  const bytes = Buffer.concat([Buffer.from('a\n'), half, Buffer.from('\nb\n'), half]);
  expect(split([bytes])).toEqual({
    lines: ['a', 'b'],
    notText: [half.toString('hex')],
    isWhole: true,
    restBytes: 2,
  });
});

test.each([
  ['in one piece', (bytes: Buffer) => [bytes]],
  ['byte by byte', (bytes: Buffer) => pieces(bytes, [1])],
  ['in halves', (bytes: Buffer) => pieces(bytes, [51])],
])('a line of the limit is taken %s, a longer one is not', (_name, cut) => {
  const line = Buffer.from(`${'x'.repeat(100)}\n`);
  expect(split(cut(line), 100)).toMatchObject({ isWhole: true, lines: ['x'.repeat(100)] });
  expect(split(cut(line), 99)).toMatchObject({ isWhole: false, lines: [] });
  const endless = Buffer.alloc(101, 'x');
  expect(split(cut(endless), 100)).toMatchObject({ isWhole: false, lines: [] });
});

test('lines before one that is too long are told', () => {
  const bytes = Buffer.from(`a\nb\n${'x'.repeat(101)}\nc\n`);
  expect(split([bytes], 100)).toMatchObject({ isWhole: false, lines: ['a', 'b'] });
});

test.each([
  ['at once', ['a\n', `{"symbol":"${'x'.repeat(100)}"}\n`]],
  ['at once, among what is no text', [Buffer.from([0xe2, 10]), `{"symbol":"${'x'.repeat(100)}\n`]],
  ['in pieces', ['{"sym', 'bol":"', 'x'.repeat(100)]],
  ['not to its end', ['{"symbol":"']],
])('the beginning of a line that comes %s is there to be shown', (_name, chunks) => {
  const splitter = new LineSplitter(100, { line: () => {}, notText: () => {} });
  for (const chunk of chunks) splitter.take(Buffer.from(chunk));
  expect(splitter.begun).toMatch(/^\{"symbol":"x*/u);
});

test('of a line without end no more is shown than anybody reads', () => {
  const splitter = new LineSplitter(100_000, { line: () => {}, notText: () => {} });
  splitter.take(Buffer.alloc(1_000_000, 'x'));
  expect(splitter.begun).toBe('x'.repeat(512));
});
