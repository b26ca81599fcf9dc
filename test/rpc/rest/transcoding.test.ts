import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Listener } from '../../../src/rpc/listener.ts';
import { openTestListener } from '../../support/test-listener.ts';
import { echoRoutes } from './echo-service.ts';

let listener: Listener;

beforeAll(async () => {
  listener = await openTestListener({
    routes: echoRoutes([
      { get: '/query' },
      { post: '/body', body: '*' },
      { post: '/inner', body: 'inner' },
      { post: '/inners', body: 'inners' },
      { put: '/no-body/{text}' },
      { get: '/one/{text}' },
      { get: '/one/{text}:loud' },
      { get: '/nested/{inner.price}/{inner.color}' },
      { get: '/rest/{text=**}' },
      { get: '/under/{text=a/*}/b' },
      { get: '/fixed/{color=red}' },
      { get: '/any/*/{text}' },
      { get: '/one/fixed' },
      { delete: '/one/{text}' },
      { patch: '/both/{text}', body: '*' },
      { get: '/words', responseBody: 'words' },
      { custom: { kind: 'REPORT', path: '/custom' } },
    ]),
  });
});
afterAll(() => listener[Symbol.asyncDispose]());

/** What the RPC was asked for, without what is empty. */
async function asked(method: string, path: string, body?: string): Promise<unknown> {
  const response = await fetch(listener.url + path, {
    method,
    ...(body === undefined ? {} : { body }),
  });
  const json: unknown = await response.json();
  expect({ status: response.status, json }).toMatchObject({ status: 200 });
  return set(json);
}

function set(json: unknown): unknown {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  const empty: readonly unknown[] = ['', false, 0, '0', 'COLOR_UNSPECIFIED', '[]', '{}'];
  const entries = Object.entries(json)
    .map(([name, value]) => [name, set(value)] as const)
    .filter(([, value]) => !empty.includes(value) && !empty.includes(JSON.stringify(value)));
  return Object.fromEntries(entries);
}

describe('a path', () => {
  test.each<[method: string, path: string, expected: object]>([
    ['GET', '/one/a', { text: 'a' }],
    ['GET', '/one/binance:BTCUSDT', { text: 'binance:BTCUSDT' }],
    ['GET', '/one/binance%3ABTCUSDT', { text: 'binance:BTCUSDT' }],
    ['GET', '/one/a%2Fb', { text: 'a/b' }],
    ['GET', '/one/%C3%A9%20%2B+', { text: 'é ++' }],
    ['GET', '/%6Fne/a', { text: 'a' }],
    ['GET', '/one/a:loud', { text: 'a' }],
    ['GET', '/one/a:b:loud', { text: 'a:b' }],
    ['GET', '/one/a:louder', { text: 'a:louder' }],
    // The template that says more wins.
    ['GET', '/one/fixed', {}],
    ['GET', '/nested/1.50/red', { inner: { price: '1.50', color: 'COLOR_RED' } }],
    ['GET', '/rest/a', { text: 'a' }],
    ['GET', '/rest/a/b/c', { text: 'a/b/c' }],
    ['GET', '/under/a/x/b', { text: 'a/x' }],
    ['GET', '/fixed/red', { color: 'COLOR_RED' }],
    ['GET', '/any/x/y', { text: 'y' }],
    ['DELETE', '/one/a', { text: 'a' }],
    ['PUT', '/no-body/a', { text: 'a' }],
    ['REPORT', '/custom', {}],
  ])('%s %s', async (method, path, expected) => {
    expect(await asked(method, path)).toEqual(expected);
  });
});

describe('a query', () => {
  test.each([
    ['', {}],
    ['text=a%20b+c', { text: 'a b c' }],
    ['text=', {}],
    ['text', {}],
    ['&text=a&&', { text: 'a' }],
    ['text=a=b', { text: 'a=b' }],
    ['is_on=true', { isOn: true }],
    ['isOn=true', { isOn: true }],
    ['is_on=false', {}],
    ['count=-5', { count: -5 }],
    ['count=007', { count: 7 }],
    ['big=9007199254740993', { big: '9007199254740993' }],
    ['big=-9223372036854775808', { big: '-9223372036854775808' }],
    ['whole=18446744073709551615', { whole: '18446744073709551615' }],
    ['ratio=0.5', { ratio: 0.5 }],
    ['ratio=-Infinity', { ratio: '-Infinity' }],
    ['raw=AQID', { raw: 'AQID' }],
    ['color=COLOR_DEEP_BLUE', { color: 'COLOR_DEEP_BLUE' }],
    ['color=DEEP_BLUE', { color: 'COLOR_DEEP_BLUE' }],
    ['color=deep_blue', { color: 'COLOR_DEEP_BLUE' }],
    ['color=2', { color: 'COLOR_DEEP_BLUE' }],
    ['colors=red&colors=deep_blue', { colors: ['COLOR_RED', 'COLOR_DEEP_BLUE'] }],
    ['time=2026-11-20T14:51:47.000001Z', { time: '2026-11-20T14:51:47.000001Z' }],
    ['time=2026-11-20T14:51:47%2B02:00', { time: '2026-11-20T12:51:47Z' }],
    ['length=5m', { length: '300s' }],
    ['length=1h30m', { length: '5400s' }],
    ['length=300s', { length: '300s' }],
    ['length=0.000000001s', { length: '0.000000001s' }],
    ['length=-250ms', { length: '-0.250s' }],
    ['length=1d', { length: '86400s' }],
    ['wrapped=9007199254740993', { wrapped: '9007199254740993' }],
    ['words=a&words=b', { words: ['a', 'b'] }],
    ['inner.price=1&inner.inner.price=2', { inner: { price: '1', inner: { price: '2' } } }],
    ['inner.tags=a&inner.tags=b', { inner: { tags: ['a', 'b'] } }],
    ['inners.price=1&inners.price=2', { inners: [{ price: '1' }, { price: '2' }] }],
    [
      'inners.price=1&inners.color=red&inners.tags=x&inners.tags=y&inners.color=deep_blue',
      {
        inners: [
          { price: '1', color: 'COLOR_RED', tags: ['x', 'y'] },
          { price: '', color: 'COLOR_DEEP_BLUE', tags: [] },
        ],
      },
    ],
    ['left=a', { left: 'a' }],
  ])('%s', async (query, expected) => {
    expect(await asked('GET', `/query?${query}`)).toMatchObject(expected);
  });
});

describe('a body', () => {
  test.each([
    ['', {}],
    ['{}', {}],
    ['{"text": null}', {}],
    // Numbers for decimals that are strings, digit by digit.
    ['{"text": 0.0001}', { text: '0.0001' }],
    ['{"text": 1.10}', { text: '1.10' }],
    [
      '{"text": 12345678901234567890.12345678901234567890}',
      { text: '12345678901234567890.12345678901234567890' },
    ],
    // Left to whoever knows which decimals there are.
    ['{"text": 1e-7}', { text: '1e-7' }],
    ['{"big": 9007199254740993}', { big: '9007199254740993' }],
    ['{"big": "9007199254740993"}', { big: '9007199254740993' }],
    ['{"is_on": true, "count": 3, "ratio": 1e3}', { isOn: true, count: 3, ratio: 1000 }],
    ['{"isOn": true}', { isOn: true }],
    ['{"color": "red"}', { color: 'COLOR_RED' }],
    ['{"color": 1}', { color: 'COLOR_RED' }],
    ['{"length": "5m"}', { length: '300s' }],
    [
      '{"inner": {"price": 0.10, "color": "deep_blue"}}',
      { inner: { price: '0.10', color: 'COLOR_DEEP_BLUE' } },
    ],
    ['{"inners": [{"price": 1}, {}]}', { inners: [{ price: '1' }, { price: '' }] }],
    ['{"labels": {"a": 1, "__proto__": 2}}', { labels: { a: 1 } }],
    ['\ufeff{"text": "é\\u0000"}', { text: 'é\0' }],
  ])('%s', async (body, expected) => {
    expect(await asked('POST', '/body', body)).toMatchObject(expected);
  });

  test('is one field, and the query has the others', async () => {
    expect(await asked('POST', '/inner?text=a&inners.price=2', '{"price": 1}')).toMatchObject({
      text: 'a',
      inner: { price: '1' },
      inners: [{ price: '2' }],
    });
    expect(await asked('POST', '/inners', '[{"price": 1}]')).toMatchObject({
      inners: [{ price: '1' }],
    });
  });

  test('goes along with a path', async () => {
    expect(await asked('PATCH', '/both/a', '{"count": 1}')).toEqual({ text: 'a', count: 1 });
  });

  test('is not looked at where none is bound', async () => {
    expect(await asked('PUT', '/no-body/a', 'not JSON')).toEqual({ text: 'a' });
  });

  test.each([
    'application/json',
    'application/json; charset=utf-8',
    'text/plain',
    'application/x+json',
  ])('may call itself %s', async (type) => {
    const options = { method: 'POST', body: '{"text": 1}', headers: { 'content-type': type } };
    const response = await fetch(`${listener.url}/body`, options);
    expect(await response.json()).toMatchObject({ text: '1' });
  });
});

describe('an answer', () => {
  test('tells all fields, also the empty ones, but for those that are not set', async () => {
    const response = await fetch(`${listener.url}/query`);
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      text: '', isOn: false, count: 0, big: '0', ratio: 0, raw: '', color: 'COLOR_UNSPECIFIED',
      inners: [], words: [], labels: {}, whole: '0', resumeAfter: '', cursor: '', colors: [],
    }); // prettier-ignore
  });

  test('is one field where the annotation says so', async () => {
    expect(await asked('GET', '/words?words=a&words=b')).toEqual(['a', 'b']);
  });

  test('ends its line', async () => {
    const response = await fetch(`${listener.url}/words`);
    expect(await response.text()).toBe('[]\n');
  });
});
