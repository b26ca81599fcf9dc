import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { formatLogLine } from '../../src/standalone/log-line.ts';

const entry = {
  level: 30,
  time: '2026-01-01T12:34:56.789Z',
  program: 'server',
  pid: 7,
  hostname: 'here',
  msg: 'Listening',
};

test.each([
  ['an entry', entry, '12:34:56.789 server     Listening'],
  [
    'fields of all kinds',
    { ...entry, port: 8080, why: 'two words', list: ['a'], none: null },
    '12:34:56.789 server     Listening port=8080 why="two words" list=["a"] none=null',
  ],
  ['a warning', { ...entry, level: 40 }, '12:34:56.789 server     WARN Listening'],
  [
    'an error with its stack',
    { ...entry, level: 50, err: { type: 'Error', message: 'no', stack: 'Error: no\n    at x' } },
    '12:34:56.789 server     ERROR Listening\n             Error: no\n                 at x',
  ],
])('%s is one readable line', (_, value, expected) => {
  expect(formatLogLine('server', JSON.stringify(value), new PassThrough())).toBe(expected);
});

test.each(['Segmentation fault', '{"not":"an entry"}', '{"level":30', ''])(
  'what is not an entry is shown as it is: %s',
  (line) => {
    expect(formatLogLine('server', line, new PassThrough())).toBe(
      `${' '.repeat(13)}server     ${line}`,
    );
  },
);
