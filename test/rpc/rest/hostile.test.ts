import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Listener } from '../../../src/rpc/listener.ts';
import { parseStrictJson } from '../../../src/rpc/rest/strict-json.ts';
import { openTestListener } from '../../support/test-listener.ts';
import { echoRoutes } from './echo-service.ts';

const seed = Number(process.env['SEED'] ?? Date.now() % 2 ** 31);
const numRuns = process.env['CI'] === 'true' ? 5_000 : 500;

let listener: Listener;

beforeAll(async () => {
  console.log(`plain HTTP: ${numRuns} cases, SEED=${seed}`);
  listener = await openTestListener({
    routes: echoRoutes([
      { get: '/query' },
      { get: '/one/{text}' },
      { get: '/one/{text}:loud' },
      { get: '/rest/{inner.price=**}' },
      { post: '/body', body: '*' },
      { post: '/inners/{text}', body: 'inners' },
    ]),
  });
});
afterAll(() => listener[Symbol.asyncDispose]());

/** fetch would clean up the path first. */
async function send(method: string, path: string, body = ''): Promise<IncomingMessage> {
  const { port } = listener;
  const sent = request({ port, host: '127.0.0.1', method, path, agent: false });
  sent.end(body);
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return response;
}

async function isAnswered(method: string, path: string, body?: string): Promise<void> {
  const response = await send(method, path, body);
  expect([200, 400, 404, 405]).toContain(response.statusCode);
  const answer = await text(response);
  if (response.headers['content-type'] !== 'application/json') return;
  const json = JSON.parse(answer) as { code?: number; message?: string };
  if (response.statusCode === 200) return;
  expect([3, 5, 12]).toContain(json.code);
  // A megabyte in is not a megabyte out.
  expect(answer.length).toBeLessThan(30_000);
}

const nasty = [
  '%00', '%2F', '%2e%2e', '%', '%zz', '%ff', '%C0%80', '%F0%9F%98%80', '..', '.', '/', '//', ':', ':loud', '?', '&', '=',
  '+', '*', '**', '{', '}', '{text}', '[0]', ';', '#', '~', '\\', '__proto__', 'constructor', 'text', 'inner', 'inners',
  'price', 'color', 'red', 'count', '1', '-', '1e400', 'NaN', 'true', 'null', 'time', '2026', 'length', '5m', 'labels',
  'query', 'one', 'rest', 'x'.repeat(2_000),
]; // prettier-ignore
const target = fc
  .tuple(
    fc.constantFrom('/', '/query?', '/one/', '/rest/', '/body?', '/inners/'),
    fc.array(fc.oneof(fc.constantFrom(...nasty), fc.string({ maxLength: 5 })), { maxLength: 8 }),
  )
  // What Node's client would refuse to send.
  .map(([start, pieces]) => start + pieces.join('').replaceAll(/[^\u0021-\u007e]/gu, ''));

describe('whatever is asked', () => {
  test('in a path and a query is answered, and never with a mistake of ours', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'POST', 'DELETE'), target, (method, path) =>
        isAnswered(method, path),
      ),
      { seed, numRuns },
    );
  });

  test('in a body is answered, and never with a mistake of ours', async () => {
    const names = [
      'text',
      'count',
      'big',
      'inner',
      'inners',
      'labels',
      'color',
      'time',
      'length',
      'left',
      '__proto__',
    ];
    const json = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.jsonValue({ maxDepth: 1 }),
        fc.constantFrom('red', '5m', '2026-01-01T00:00:00Z', '1', 1e300, -0),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 4 }),
      ),
    })).value;
    const body = fc.oneof(
      json.map((value) => JSON.stringify(value)),
      fc.string(),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('/body', '/inners/a'), body, (path, text) =>
        isAnswered('POST', path, text),
      ),
      { seed, numRuns },
    );
  });
});

test('a number keeps the digits that were written', () => {
  const digits = (maxLength: number) => fc.stringMatching(new RegExp(`^\\d{1,${maxLength}}$`, 'u'));
  const number = fc
    .tuple(
      fc.constantFrom('', '-'),
      digits(40),
      fc.option(digits(40)),
      fc.constantFrom('', 'e5', 'E-7'),
    )
    .map(([sign, whole, fraction, exponent]) => {
      const integer = whole.replace(/^0+(?=\d)/u, '');
      return `${sign}${integer}${fraction === null ? '' : `.${fraction}`}${exponent}`;
    });
  fc.assert(
    fc.property(number, (text) => {
      expect(parseStrictJson(`{"a": [${text}]}`)).toEqual({ a: [{ source: text }] });
    }),
    { seed, numRuns },
  );
});
