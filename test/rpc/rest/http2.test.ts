import { once } from 'node:events';
import { connect } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Listener } from '../../../src/rpc/listener.ts';
import { openMetrics } from '../../../src/base/metrics.ts';
import { eventually } from '../../support/eventually.ts';
import { openTestListener } from '../../support/test-listener.ts';

// Its responses differ from those of HTTP/1.1 in Node: what is written to, and how heads are sent.

const metrics = openMetrics({ processMetrics: false });
let listener: Listener;
let session: ClientHttp2Session;

beforeAll(async () => {
  listener = await openTestListener({ metrics });
  session = connect(listener.url);
});
afterAll(async () => {
  session.destroy();
  await listener[Symbol.asyncDispose]();
});

async function ask(method: string, path: string, body?: string) {
  const headers = { ':method': method, ':path': path };
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  return { head, text: await text(stream) };
}

test.each([
  ['GET', '/v1/server', 200, '"version":"1.2.3"'],
  ['HEAD', '/v1/server', 200, ''],
  ['GET', '/v1/instruments?exchange=A%20B', 400, '"code":3'],
  ['GET', '/v1/instruments/a%00/candles', 400, 'control characters'],
  ['DELETE', '/v1/server', 405, '"code":12'],
  ['OPTIONS', '/v1/server', 200, ''],
  ['GET', '/v1/nothing', 404, '"code":5'],
  ['GET', '/v1/trades:stream?instruments=a&instruments=b', 200, '"instrument":"b"'],
  ['POST', '/v1/candles:stream', 400, '"field":"selections"'],
])('%s %s is answered with %i: %s', async (method, path, status, part) => {
  const answer = await ask(method, path, method === 'POST' ? '{}' : undefined);
  expect(answer.head[':status']).toBe(status);
  if (part === '') expect(answer.text).toBe('');
  else expect(answer.text).toContain(part);
});

test('a segment of 10 KiB is refused by the rule of its field', async () => {
  const answer = await ask('GET', `/v1/instruments/${'a'.repeat(10_240)}/candles?timeframe=1m`);
  expect([answer.head[':status'], JSON.parse(answer.text)]).toMatchObject([
    400,
    { code: 3, details: [{ fieldViolations: [{ field: 'instrument' }] }] },
  ]);
});

test('an answer before the whole body is there ends the request', async () => {
  const stream = session.request({
    ':method': 'POST',
    ':path': '/v1/candles:stream',
    'content-type': 'application/xml',
  });
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders];
  expect(head[':status']).toBe(415);
  stream.write('<a>');
  expect(await text(stream)).toContain('application/json');
  await eventually(async () => {
    expect(await metrics.metrics()).toMatch(/^tradewind_rpcs_active 0$/mu);
  });
  stream.destroy();
});
