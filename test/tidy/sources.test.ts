import { expect, test } from 'vitest';
import { keptFiles, sourceFiles } from './source-files.ts';
import type { SourceFile } from './source-files.ts';

const sources = sourceFiles('src');

test('only configurations and programs read the environment', () => {
  const isAllowed = (path: string) => /^src\/(?:[^/]+|[^/]+\/config)\.ts$/u.test(path);
  expect(linesWith(/\bprocess\.env\b/u, isAllowed)).toEqual([]);
});

/** Where time is used beside the clock, and why. */
const timeExceptions: readonly string[] = [
  'src/base/clock.ts',
  // Bounds a request to a real process, whose time no twin moves.
  'src/base/until-answered.ts',
];

// Not meant: setImmediate, which gives way and waits for no time, and the timeouts of Node's sockets
// and servers (`server.setTimeout`), which are Node's to keep.
const time =
  /(?<![.\w])(?:setTimeout|setInterval)\(|Date\.now|new Date\(\)|\bperformance\.|\bhrtime\b|AbortSignal\.timeout|\bTemporal\.Now|import \{[^}]*\b(?:setTimeout|setInterval|scheduler)\b[^}]*\} from 'node:timers/u;

test('only the clock reads the time and sets timers', () => {
  expect(linesWith(time, (path) => timeExceptions.includes(path))).toEqual([]);
});

test.each([
  ['setTimeout(go, 1)', true],
  ['const now = Date.now();', true],
  ['new Date()', true],
  ["import { setTimeout as sleep } from 'node:timers/promises';", true],
  ['new Date(micros / 1000)', false],
  ['server.setTimeout(limits.idleTimeoutMs);', false],
  ["import { setImmediate } from 'node:timers/promises';", false],
])('the test knows what uses time: %s', (line, expected) => {
  expect(time.test(line)).toBe(expected);
});

/** Longer than this, a file holds more than one idea. */
const maximumLines = 300;

test('no source file is too long to take in', () => {
  const tooLong = sources
    .map(({ path, text }) => `${path}: ${text.split('\n').length - 1}`)
    .filter((line) => Number(line.split(': ')[1]) > maximumLines);
  expect(tooLong).toEqual([]);
});

test('nothing is left to be done', () => {
  // Written so that this line is not one of them.
  const leftover = /\b(?:TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b/u;
  const wrong = keptFiles()
    .filter(({ path }) => !/^(?:gen|third_party)\/|^package-lock\.json$/u.test(path))
    .flatMap((file) => matchingLines(file, leftover));
  expect(wrong).toEqual([]);
});

function linesWith(pattern: RegExp, isAllowed: (path: string) => boolean): readonly string[] {
  return sources
    .filter(({ path }) => !isAllowed(path))
    .flatMap((file) => matchingLines(file, pattern));
}

function matchingLines({ path, text }: SourceFile, pattern: RegExp): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : []));
}
