import { once } from 'node:events';
import { get } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { createClient, Code, ConnectError } from '@connectrpc/connect';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { MarketService } from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import { openMetrics } from '../../../src/base/metrics.ts';
import { Refusal } from '../../../src/domain/refusal.ts';
import type { ListenerOptions } from '../../../src/rpc/listener.ts';
import type { RestAdapter } from '../../../src/rpc/rest.ts';
import { jsonAnswer } from '../../../src/rpc/rest/openapi/own-operation.ts';
import { eventually } from '../../support/eventually.ts';
import { echoRoutes as serviceRoutes, openTestListener } from '../../support/test-listener.ts';
import { echoRoutes } from './echo-service.ts';

describe('an RPC over plain HTTP', () => {
  test('is checked and counted like any other', async () => {
    const metrics = openMetrics({ processMetrics: false });
    await using listener = await openTestListener({ metrics });
    const good = await fetch(`${listener.url}/v1/instruments?exchange=kraken`);
    expect(await good.json()).toMatchObject({ instruments: [{ name: 'kraken:BTCUSDT' }] });
    const bad = await fetch(`${listener.url}/v1/instruments?exchange=A%20B`);
    expect([bad.status, await bad.json()]).toEqual([
      400,
      {
        code: 3,
        message: expect.stringContaining('exchange'),
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.BadRequest',
            fieldViolations: [
              { field: 'exchange', description: 'expected lower-case letters, digits and "-"' },
            ],
          },
        ],
      },
    ]);
    const text = await metrics.metrics();
    expect(text).toContain('grpc_method="ListInstruments",grpc_code="OK"} 1\n');
    expect(text).toContain('grpc_method="ListInstruments",grpc_code="InvalidArgument"} 1\n');
  });

  test('carries the request’s id and headers to its handler, and the handler’s to the client', async () => {
    const seen: (string | null)[] = [];
    await using listener = await openTestListener({
      routes: (router) =>
        router.service(MarketService, {
          listInstruments: (_request, { requestHeader, responseHeader }) => {
            seen.push(requestHeader.get('idempotency-key'), requestHeader.get('x-request-id'));
            responseHeader.set('x-told', 'yes');
            return {};
          },
        }),
    });
    const headers = { 'idempotency-key': 'k1', 'x-request-id': 'r1' };
    const response = await fetch(`${listener.url}/v1/instruments`, { headers });
    expect(seen).toEqual(['k1', 'r1']);
    expect(response.headers.get('x-told')).toBe('yes');
    expect(response.headers.get('x-request-id')).toBe('r1');
  });

  test.each([
    ['grpc-timeout', '20m', 504],
    ['grpc-timeout', '20000u', 504],
    ['connect-timeout-ms', '20', 504],
    ['grpc-timeout', '5x', 400],
    ['connect-timeout-ms', '-1', 400],
    ['grpc-timeout', '99999999H', 400],
  ])('with %s: %s is answered with %i', async (name, value, status) => {
    await using listener = await openTestListener({
      routes: (router) =>
        router.service(MarketService, { listInstruments: () => new Promise(() => {}) }),
    });
    const response = await fetch(`${listener.url}/v1/instruments`, { headers: { [name]: value } });
    expect(response.status).toBe(status);
    await response.text();
  });

  test('that its client left does not count as at work', async () => {
    const metrics = openMetrics({ processMetrics: false });
    await using listener = await openTestListener({
      metrics,
      routes: (router) =>
        router.service(MarketService, { listInstruments: () => new Promise(() => {}) }),
    });
    const leaving = new AbortController();
    const asked = fetch(`${listener.url}/v1/instruments`, { signal: leaving.signal });
    await eventually(async () =>
      expect(await metrics.metrics()).toMatch(/^tradewind_rpcs_active 1$/mu),
    );
    leaving.abort();
    await expect(asked).rejects.toThrow('aborted');
    await eventually(async () =>
      expect(await metrics.metrics()).toMatch(/^tradewind_rpcs_active 0$/mu),
    );
  });

  test('is refused where too many are at work', async () => {
    await using listener = await openTestListener({ limits: { maxActiveRpcs: 0 } });
    const response = await fetch(`${listener.url}/v1/server`);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await response.json()).toMatchObject({ code: 14 });
  });

  test.each([
    [new Refusal('invalid', 'no'), 400, 3],
    [new Refusal('notFound', 'no'), 404, 5],
    [new Refusal('outOfRange', 'no'), 400, 11],
    [new Refusal('limit', 'no'), 429, 8],
    [new Refusal('unavailable', 'no'), 503, 14],
    [new ConnectError('no', Code.AlreadyExists), 409, 6],
    [new ConnectError('no', Code.FailedPrecondition), 400, 9],
    [new ConnectError('no', Code.Aborted), 409, 10],
    [new ConnectError('no', Code.PermissionDenied), 403, 7],
    [new ConnectError('no', Code.Unauthenticated), 401, 16],
    [new ConnectError('no', Code.Unimplemented), 501, 12],
    [new ConnectError('no', Code.DataLoss), 500, 15],
  ])('%s is told with HTTP status %i and code %i', async (error, httpStatus, code) => {
    await using listener = await openTestListener({
      routes: (router) =>
        router.service(MarketService, {
          listInstruments() {
            throw error;
          },
        }),
    });
    const response = await fetch(`${listener.url}/v1/instruments`);
    expect(response.status).toBe(httpStatus);
    expect(await response.json()).toMatchObject({ code, message: 'no' });
  });

  test('that fails by a mistake of ours says no more than that', async () => {
    await using listener = await openTestListener({
      routes: (router) =>
        router.service(MarketService, {
          listInstruments() {
            throw new Error('password=secret');
          },
        }),
    });
    const response = await fetch(`${listener.url}/v1/instruments`);
    const told = { code: 13, message: 'internal error', details: [] };
    expect([response.status, await response.json()]).toEqual([500, told]);
  });
});

describe('a long answer', () => {
  const open = () =>
    openTestListener({
      routes: (router) =>
        router.service(MarketService, {
          listInstruments: () => ({ instruments: [{ name: 'x'.repeat(2_000) }] }),
        }),
    });

  test.each([
    ['gzip, deflate, br', 'gzip'],
    ['br;q=1.0, gzip;q=0.8', 'gzip'],
    ['gzip;q=0', undefined],
    ['br', undefined],
    ['identity', undefined],
  ])('for who takes %s comes as %s', async (accepted, encoding) => {
    await using listener = await open();
    const { headers, bytes } = await getBytes(`${listener.url}/v1/instruments`, accepted);
    expect(headers['content-encoding']).toBe(encoding);
    expect(headers['vary']).toBe('Origin, Accept-Encoding');
    expect(Number(headers['content-length'])).toBe(bytes.length);
    const text = (encoding === undefined ? bytes : gunzipSync(bytes)).toString();
    expect(JSON.parse(text)).toMatchObject({ instruments: [{ name: 'x'.repeat(2_000) }] });
  });
});

/** fetch would unpack it. */
async function getBytes(url: string, accepted: string) {
  const [response] = (await once(
    get(url, { agent: false, headers: { 'accept-encoding': accepted } }),
    'response',
  )) as [IncomingMessage];
  return { headers: response.headers, bytes: await buffer(response) };
}

describe('methods', () => {
  const rules = [
    { get: '/things/{text}' },
    { post: '/things/{text}', body: '*' },
    { put: '/things/x' },
  ];
  const all = 'PUT, GET, POST, HEAD, OPTIONS';

  test.each([
    ['OPTIONS', '/things/x', 200, all],
    ['DELETE', '/things/x', 405, all],
    ['OPTIONS', '/things/y', 200, 'GET, POST, HEAD, OPTIONS'],
    ['PATCH', '/things/y', 405, 'GET, POST, HEAD, OPTIONS'],
  ])('%s %s is answered with %i, allowed are %s', async (method, path, status, allow) => {
    await using listener = await openTestListener({ routes: echoRoutes(rules) });
    const response = await fetch(listener.url + path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow]);
    await response.text();
  });

  test('HEAD tells what GET would, without the body', async () => {
    await using listener = await openTestListener({ routes: echoRoutes(rules) });
    const get = await fetch(`${listener.url}/things/a`);
    const head = await fetch(`${listener.url}/things/a`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    for (const name of ['content-type', 'content-length']) {
      expect(head.headers.get(name)).toBe(get.headers.get(name));
    }
    const missing = await fetch(`${listener.url}/things/a?nope=1`, { method: 'HEAD' });
    expect([missing.status, await missing.text()]).toEqual([400, '']);
    await get.text();
  });

  test.each([
    ['/v1/nothing', '*/*', 'application/json'],
    ['/prices/median/BTCUSDT', '*/*', 'application/json'],
    ['/prices/latest', '*/*', 'application/json'],
    ['/prices/latest/BTCUSDT/', '*/*', 'application/json'],
    ['/PRICES/latest/BTCUSDT', '', 'application/json'],
    ['/nothing', 'application/json, text/plain, */*', 'application/json'],
    ['/nothing', 'text/html,application/xhtml+xml,*/*;q=0.8', 'text/plain; charset=utf-8'],
    ['/nothing', 'text/plain', 'text/plain; charset=utf-8'],
  ])('GET %s, which is not there, with Accept %s answers %s', async (path, accept, type) => {
    await using listener = await openTestListener();
    const response = await fetch(listener.url + path, { headers: { accept } });
    expect([response.status, response.headers.get('content-type')]).toEqual([404, type]);
    expect(await response.text()).toContain('/openapi.json');
  });
});

describe('a page', () => {
  const rules = [{ post: '/things', body: '*' }, { get: '/things' }];
  const post = (url: string, origin: string) =>
    fetch(`${url}/things`, { method: 'POST', body: '{}', headers: { origin } });

  test.each([
    ['http://localhost:5173', 200],
    ['https://evil.example', 403],
    ['null', 403],
  ])('of %s that sends what changes something is answered with %i', async (origin, status) => {
    await using listener = await openTestListener({ routes: echoRoutes(rules) });
    const response = await post(listener.url, origin);
    expect(response.status).toBe(status);
    if (status === 403) expect(await response.json()).toMatchObject({ code: 7 });
    else await response.text();
  });

  test('that CORS lets in may send it, and reads the answer', async () => {
    const origin = 'https://app.example.com';
    await using listener = await openTestListener({
      routes: echoRoutes(rules),
      corsAllowedOrigins: [origin],
    });
    const response = await post(listener.url, origin);
    expect(response.status).toBe(200);
    expect(response.headers.get('access-control-allow-origin')).toBe(origin);
    await response.text();
    const preflight = await fetch(`${listener.url}/things`, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT' },
    });
    expect(preflight.status).toBe(204);
    const allowed = preflight.headers.get('access-control-allow-methods');
    for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
      expect(allowed).toContain(method);
    const headers = preflight.headers.get('access-control-allow-headers')?.toLowerCase();
    for (const name of ['idempotency-key', 'last-event-id']) expect(headers).toContain(name);
  });
});

describe('an adapter', () => {
  const adapter = (answer: RestAdapter['answer'], path = '/old/{name}'): RestAdapter => ({
    httpMethod: 'POST',
    path,
    operation: { id: 'Old', description: 'As it was.', answer: jsonAnswer({ type: 'object' }) },
    answer,
  });
  const open = (answer: RestAdapter['answer'], options: Partial<ListenerOptions> = {}) =>
    openTestListener({ routes: serviceRoutes, restAdapters: [adapter(answer)], ...options });
  const post = (url: string, options: RequestInit = {}) =>
    fetch(`${url}/old/a`, { method: 'POST', ...options });

  test('calls RPCs, and answers in its own words', async () => {
    await using listener = await open(async (call) => {
      const market = createClient(MarketService, call.transport);
      const { instruments } = await market.listInstruments({ exchange: 'kraken' }, call.options);
      call.setHeader('x-count', String(instruments.length));
      await call.sendJson(202, { message: 'Done', names: instruments.map(({ name }) => name) });
    });
    const response = await post(listener.url);
    expect([response.status, response.headers.get('x-count')]).toEqual([202, '1']);
    expect(await response.json()).toEqual({ message: 'Done', names: ['kraken:BTCUSDT'] });
  });

  test('reads JSON with its digits, whatever the body calls itself, and headers', async () => {
    await using listener = await open(async (call) => {
      const json = await call.readJson();
      await call.sendText(200, `${JSON.stringify(json)} ${call.header('prefer')}`);
    });
    const headers = { 'content-type': 'application/xml', prefer: 'respond-async' };
    const response = await post(listener.url, { body: '{"price": 0.00010}', headers });
    expect(await response.text()).toBe('{"price":"0.00010"} respond-async');
    const packed = { 'content-encoding': 'gzip' };
    const other = await post(listener.url, { body: gzipSync('[1]'), headers: packed });
    expect(await other.text()).toBe('["1"] undefined');
  });

  test.each([
    ['what is no JSON', '{', 400, 3],
    ['a refusal of an RPC', '{"exchange": "A B"}', 400, 3],
    ['a refusal', '"refuse"', 404, 5],
    ['a mistake of ours', '"fail"', 500, 13],
  ])('need not look after %s', async (_, body, status, code) => {
    await using listener = await open(async (call) => {
      const json = await call.readJson();
      if (json === 'refuse') throw new Refusal('notFound', 'No such order');
      if (json === 'fail') throw new Error('secret');
      const market = createClient(MarketService, call.transport);
      await market.listInstruments({ exchange: 'A B' }, call.options);
    });
    const response = await post(listener.url, { body });
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code });
  });

  test('that fails by a mistake of ours leaves the mistake in the log', async () => {
    const lines: Record<string, unknown>[] = [];
    const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
    const logger = pino({ level: 'warn' }, { write });
    await using listener = await open(() => Promise.reject(new Error('the cause')), { logger });
    const response = await post(listener.url);
    expect(await response.json()).toEqual({ code: 13, message: 'internal error', details: [] });
    expect(lines).toMatchObject([
      { msg: 'Answering a request failed', path: '/old/a', err: { message: 'the cause' } },
    ]);
  });

  test('may be told that its client left', async () => {
    const left = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    await using listener = await open(async (call) => {
      begun.resolve();
      call.options.signal.addEventListener('abort', () => left.resolve());
      await left.promise;
    });
    const leaving = new AbortController();
    const asked = post(listener.url, { signal: leaving.signal });
    await begun.promise;
    leaving.abort();
    await expect(asked).rejects.toThrow('aborted');
    await left.promise;
  });

  test('is told by /openapi.json', async () => {
    await using listener = await open(() => Promise.resolve());
    const { paths } = (await (await fetch(`${listener.url}/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    expect(paths['/old/{name}']).toMatchObject({ post: { operationId: 'Old' } });
  });

  test('cannot be at a path that is taken', async () => {
    const adapters = [adapter(() => Promise.resolve(), '/v1/candles:stream')];
    await expect(openTestListener({ restAdapters: adapters })).rejects.toThrow(
      'POST /v1/candles:stream',
    );
  });
});
