import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Listener } from '../../../src/rpc/listener.ts';
import { openTestListener } from '../../support/test-listener.ts';
import { echoRoutes } from './echo-service.ts';

let listener: Listener;

beforeAll(async () => {
  listener = await openTestListener({
    limits: { readMaxBytes: 15_000 },
    routes: echoRoutes([
      { get: '/query' },
      { get: '/one/{text}' },
      { get: '/rest/{text=**}' },
      { get: '/color/{color}' },
      { post: '/body', body: '*' },
      { post: '/both/{text}', body: '*' },
      { post: '/inner', body: 'inner' },
      { post: '/nothing/{text}' },
    ]),
  });
});
afterAll(() => listener[Symbol.asyncDispose]());

async function refusal(path: string, options: RequestInit = {}) {
  const response = await fetch(listener.url + path, options);
  expect(response.headers.get('content-type')).toBe('application/json');
  const { code, message, details } = (await response.json()) as {
    code: number;
    message: string;
    details: { '@type': string; fieldViolations: { field: string; description: string }[] }[];
  };
  for (const detail of details) {
    expect(detail['@type']).toBe('type.googleapis.com/google.rpc.BadRequest');
  }
  const violations = details
    .flatMap(({ fieldViolations }) => fieldViolations)
    .map(({ field, description }) => `${field}: ${description}`);
  return { status: response.status, code, message, violations };
}

const int32 = 'an integer from -2147483648 to 2147483647';
const int64 = 'an integer from -9223372036854775808 to 9223372036854775807';
const colors = 'one of red, deep_blue';
const fields =
  'text, is_on, count, big, ratio, raw, color, time, length, inner, inners, words, labels, left, right, wrapped, whole, resume_after, cursor, colors';

describe('in a query', () => {
  test.each([
    ['count=x', `count: expected ${int32}, got "x"`],
    ['count=', `count: expected ${int32}, got ""`],
    ['count=2147483648', `count: expected ${int32}, got "2147483648"`],
    ['count=1.0', `count: expected ${int32}, got "1.0"`],
    ['count=1e3', `count: expected ${int32}, got "1e3"`],
    ['count=%2B1', `count: expected ${int32}, got "+1"`],
    ['count=0x10', `count: expected ${int32}, got "0x10"`],
    ['count=１', `count: expected ${int32}, got "１"`],
    ['count=1&count=1', 'count: expected it once'],
    ['is_on=true&isOn=true', 'is_on: expected it once'],
    ['is_on=yes', 'is_on: expected true or false, got "yes"'],
    ['is_on', 'is_on: expected true or false, got ""'],
    ['big=9223372036854775808', `big: expected ${int64}, got "9223372036854775808"`],
    ['wrapped=a', `wrapped: expected ${int64}, got "a"`],
    ['ratio=1,5', 'ratio: expected a number, got "1,5"'],
    ['raw=*', 'raw: expected bytes as base64, got "*"'],
    ['color=green', `color: expected ${colors}, got "green"`],
    ['color=', `color: expected ${colors}, got ""`],
    ['colors=red&colors=x', `colors: expected ${colors}, got "x"`],
    ['time=yesterday', 'time: expected a time such as 2026-11-20T14:51:47.5Z, got "yesterday"'],
    [
      'time=2026-02-30T00:00:00Z',
      'time: expected a time such as 2026-11-20T14:51:47.5Z, got "2026-02-30T00:00:00Z"',
    ],
    ['length=5', 'length: expected a duration such as 90s, 5m or 1h30m, got "5"'],
    ['length=5M', 'length: expected a duration such as 90s, 5m or 1h30m, got "5M"'],
    ['inner.color=x', `inner.color: expected ${colors}, got "x"`],
    ['text=%FF', 'query: expected percent-encoded UTF-8, got "text=%FF"'],
    ['text=%', 'query: expected percent-encoded UTF-8, got "text=%"'],
    [
      `text=${'%C0%80'.repeat(30)}`,
      `query: expected percent-encoded UTF-8, got "text=${'%C0%80'.repeat(9)}%…"`,
    ],
  ])('%s', async (query, violation) => {
    expect(await refusal(`/query?${query}`)).toEqual({
      status: 400,
      code: 3,
      message: violation,
      violations: [violation],
    });
  });

  test('a parameter that is not known is named, with those that are', async () => {
    const { status, violations } = await refusal('/color/red?nope=1&color=red&labels=1');
    expect(status).toBe(400);
    expect(violations).toHaveLength(3);
    expect(violations[0]).toMatch(
      /^nope: there is no such parameter; there are text, is_on, count, .*inner\.price, .*inners\.price, .*words/u,
    );
    // What the path has already, and what no text can tell.
    expect(violations[1]).toMatch(/^color: there is no such parameter/u);
    expect(violations[2]).toMatch(/^labels: there is no such parameter/u);
  });

  test('a parameter is refused where the body is everything', async () => {
    const { violations } = await refusal('/body?text=a', { method: 'POST', body: '{}' });
    expect(violations).toEqual(['text: there are no parameters here']);
  });

  test('everything that is wrong is told at once, but not without end', async () => {
    const few = await refusal('/query?count=x&big=y&is_on=z');
    expect(few.violations).toHaveLength(3);
    expect(few.message.split('; ')).toEqual(few.violations);
    const many = await refusal(`/query?${'count=x&'.repeat(1_000)}`);
    expect(many.violations).toHaveLength(20);
  });

  test('parameters are counted', async () => {
    const { violations } = await refusal(`/query?${'words&'.repeat(2_200)}`);
    expect(violations).toEqual(['query: expected at most 2100 parameters']);
  });
});

describe('in a path', () => {
  test.each([
    ['/one/a%00b', 'text: expected no control characters, got "a\\u0000b"'],
    ['/one/%0d%0a', 'text: expected no control characters, got "\\r\\n"'],
    ['/rest/a/%7f', `text: expected no control characters, got "\u007f"`],
    ['/one/%ff', 'text: expected percent-encoded UTF-8 in the path, got "%ff"'],
    ['/one/%', 'text: expected percent-encoded UTF-8 in the path, got "%"'],
    ['/one/%ED%A0%80', 'text: expected percent-encoded UTF-8 in the path, got "%ED%A0%80"'],
    ['/color/green', `color: expected ${colors}, got "green"`],
  ])('%s', async (path, violation) => {
    expect(await refusal(path)).toMatchObject({ status: 400, code: 3, violations: [violation] });
  });

  test.each([
    '/one',
    '/one/',
    '/one//',
    '/one/a/',
    '/one/a/b',
    '//one/a',
    '/rest/',
    '/rest/a//b',
    '/On/a',
  ])('%s is nothing', async (path) => {
    const headers = { accept: 'application/json' };
    expect(await refusal(path, { headers })).toMatchObject({ status: 404, code: 5 });
  });

  test('a field that the body has, too, is refused', async () => {
    const body = '{"text": "b"}';
    const { violations } = await refusal('/both/a', { method: 'POST', body });
    expect(violations).toEqual(['text: expected it once']);
  });

  test('10 KiB of it are a text like any other; more than headers may have are refused', async () => {
    const long = 'a'.repeat(10_240);
    const response = await fetch(`${listener.url}/one/${long}`);
    const { text } = (await response.json()) as { text: string };
    expect(text === long).toBe(true);
    const { status } = await fetch(`${listener.url}/one/${long}${long}`);
    expect(status).toBe(431);
  });
});

describe('in a body', () => {
  test.each([
    ['[]', 'body: expected an object'],
    ['1', 'body: expected an object'],
    ['null', 'body: expected an object'],
    ['{"nope": 1}', `nope: expected one of ${fields}`],
    ['{"__proto__": {"text": "a"}}', `__proto__: expected one of ${fields}`],
    ['{"constructor": 1}', `constructor: expected one of ${fields}`],
    ['{"isOn": true, "is_on": true}', 'is_on: expected it once'],
    ['{"text": true}', 'text: expected a string, got true'],
    ['{"text": {}}', 'text: expected a string, got an object'],
    ['{"text": []}', 'text: expected a string, got an array'],
    ['{"is_on": 1}', 'is_on: expected true or false, got 1'],
    ['{"count": 1.5}', `count: expected ${int32}, got 1.5`],
    ['{"count": 1.0000000000000000001}', `count: expected ${int32}, got 1.0000000000000000001`],
    ['{"big": 9223372036854775808}', `big: expected ${int64}, got 9223372036854775808`],
    [`{"big": ${'9'.repeat(1_000)}}`, `big: expected ${int64}, got ${'9'.repeat(60)}`],
    ['{"color": true}', `color: expected ${colors}, got true`],
    ['{"time": 5}', 'time: expected a time such as 2026-11-20T14:51:47.5Z, got 5'],
    ['{"inner": 1}', 'inner: expected an object, got 1'],
    ['{"inner": {"nope": 1}}', 'inner.nope: expected one of price, color, inner, tags'],
    ['{"inners": {}}', 'inners: expected an array, got an object'],
    ['{"inners": [{}, {"color": 0.5}]}', `inners[1].color: expected ${colors}, got 0.5`],
    ['{"words": ["a", 1, false]}', 'words[2]: expected a string, got false'],
    ['{"labels": []}', 'labels: expected an object, got an array'],
    ['{"labels": {"a": "x"}}', `labels["a"]: expected ${int32}, got "x"`],
    [
      '{"text": "a", "text": "b"}',
      'body: expected JSON: Expected every name once in an object, and at most 100 levels',
    ],
    [
      `{"inner": ${'['.repeat(4_000)}${']'.repeat(4_000)}}`,
      'body: expected JSON: Expected every name once in an object, and at most 100 levels',
    ],
  ])('%s', async (body, violation) => {
    expect(await refusal('/body', { method: 'POST', body })).toMatchObject({
      status: 400,
      code: 3,
      violations: [violation],
    });
  });

  test.each([
    '{',
    '{"text": NaN}',
    "{'text': 1}",
    '{"text": 1,}',
    'text=1',
    '{"text": 0x10}',
    '{"text": 01}',
  ])('%s is no JSON', async (body) => {
    const { status, violations } = await refusal('/body', { method: 'POST', body });
    expect(status).toBe(400);
    expect(violations).toEqual([expect.stringMatching(/^body: expected JSON: /u)]);
  });

  test.each([
    ['in the body', '/body', { method: 'POST', body: '{"left": "a", "right": "b"}' }],
    ['in the query', '/query?left=a&right=b', {}],
  ])('two fields of which there can be one %s', async (_where, path, options) => {
    const { status, violations } = await refusal(path, options);
    expect([status, violations]).toEqual([400, ['choice: expected only one of left, right']]);
  });

  test('bytes that are no UTF-8', async () => {
    const body = Buffer.from('{"text": "\xff"}', 'latin1');
    const { violations } = await refusal('/body', { method: 'POST', body });
    expect(violations).toEqual(['body: expected UTF-8']);
  });

  test.each([
    ['application/x-protobuf', 415],
    ['application/xml', 415],
    ['multipart/form-data', 415],
  ])('of type %s: %i', async (type, status) => {
    const options = { method: 'POST', body: '{}', headers: { 'content-type': type } };
    expect(await refusal('/body', options)).toMatchObject({ status, code: 3 });
  });

  test('one that is too long is refused, packed or not', async () => {
    const body = JSON.stringify({ text: 'a'.repeat(20_000) });
    const plain = { method: 'POST', body };
    const tooLong = { status: 413, code: 8, message: expect.stringContaining('15000 bytes') };
    expect(await refusal('/body', plain)).toMatchObject(tooLong);
    const bytes = await new Response(
      new Blob([body]).stream().pipeThrough(new CompressionStream('gzip')),
    ).arrayBuffer();
    const headers = { 'content-encoding': 'gzip' };
    expect(await refusal('/body', { method: 'POST', body: bytes, headers })).toMatchObject(tooLong);
  });

  test.each([
    ['gzip', 400, 'body: expected gzip'],
    ['zstd', 415, 'Expected content-encoding gzip, br or none'],
  ])('packed as %s, which it is not', async (encoding, status, message) => {
    const headers = { 'content-encoding': encoding };
    const told = await refusal('/body', { method: 'POST', body: '{}', headers });
    expect(told).toMatchObject({ status, message });
  });
});
