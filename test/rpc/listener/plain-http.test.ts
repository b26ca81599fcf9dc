import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, test } from 'vitest';
import { SystemService } from '../../../gen/tradewind/system/v1/system_service_pb.ts';
import { sendText } from '../../../src/rpc/listener/plain-http.ts';
import { openTestListener } from '../../support/test-listener.ts';

const rpcPath = '/tradewind.system.v1.SystemService/GetServerInfo';

test('/healthz says that the process lives', async () => {
  await using listener = await openTestListener({ readiness: () => ['No market yet'] });
  const response = await fetch(`${listener.url}/healthz`);
  expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
});

test('/readyz says why the server is not ready, until it is', async () => {
  let reasons = ['No market yet', 'No database yet'];
  await using listener = await openTestListener({ readiness: () => reasons });
  const before = await fetch(`${listener.url}/readyz`);
  expect([before.status, await before.text()]).toEqual([503, 'No market yet\nNo database yet\n']);
  reasons = [];
  const after = await fetch(`${listener.url}/readyz`);
  expect([after.status, await after.text()]).toEqual([200, 'ready\n']);
});

test('/metrics counts RPCs under the usual names', async () => {
  await using listener = await openTestListener();
  const system = createClient(SystemService, createGrpcTransport({ baseUrl: listener.url }));
  await system.getServerInfo({});
  const response = await fetch(`${listener.url}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain');
  const text = await response.text();
  const labels =
    'grpc_type="unary",grpc_service="tradewind.system.v1.SystemService",grpc_method="GetServerInfo"';
  expect(text).toContain(`grpc_server_started_total{${labels}} 1\n`);
  expect(text).toContain(`grpc_server_handled_total{${labels},grpc_code="OK"} 1\n`);
  expect(text).toContain(`grpc_server_handling_seconds_count{${labels}} 1\n`);
  expect(text).toMatch(/^tradewind_connections 2$/mu);
});

test.each([
  ['GET', '/nothing', 404],
  ['POST', '/healthz', 405],
  ['HEAD', '/healthz', 200],
  ['GET', '/healthz?x=1', 200],
  ['GET', '/healthz/', 404],
  ['POST', '/tradewind.system.v1.SystemService/Nothing', 404],
  ['POST', rpcPath, 415],
  ['PUT', rpcPath, 405],
  ['GET', `${rpcPath}?encoding=json&message=%7B%7D`, 200],
  ['OPTIONS', '/healthz', 405],
])('%s %s is answered with %i', async (method, path, status) => {
  await using listener = await openTestListener();
  const response = await fetch(listener.url + path, { method });
  expect(response.status).toBe(status);
  await response.text();
});

test('further plain routes are asked after ours, and what they throw is a 500', async () => {
  await using listener = await openTestListener({
    plainRoutes: (path, method) => {
      if (path === '/throws') return () => Promise.reject(new Error('secret'));
      if (path !== '/orders') return undefined;
      return (request, response) => sendText(request, response, 200, method);
    },
  });
  const orders = await fetch(`${listener.url}/orders`, { method: 'DELETE' });
  expect(await orders.text()).toBe('DELETE');
  const throws = await fetch(`${listener.url}/throws`);
  expect([throws.status, await throws.text()]).toEqual([500, 'Internal error\n']);
});

describe('request ids', () => {
  test.each([['abc-123'], ['a'.repeat(64)], ['00-4bf92f3577b34da6a3ce929d0e0e4736-1']])(
    '%s is taken',
    async (id) => {
      await using listener = await openTestListener();
      const response = await fetch(`${listener.url}/healthz`, { headers: { 'x-request-id': id } });
      expect(response.headers.get('x-request-id')).toBe(id);
    },
  );

  test.each([['a'.repeat(65)], ['two words'], ['a;b'], ['"'], ['\u00e9']])(
    '%s is replaced',
    async (id) => {
      await using listener = await openTestListener();
      const response = await fetch(`${listener.url}/nothing`, { headers: { 'x-request-id': id } });
      expect(response.headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/u);
    },
  );
});

const preflight = (url: string, origin: string) =>
  fetch(url + rpcPath, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type,connect-protocol-version',
    },
  });

describe('CORS', () => {
  test.each([
    // Allowed by default: this machine, any port.
    [[], 'http://localhost:5173', true],
    [[], 'https://localhost', true],
    [[], 'http://127.0.0.1:3000', true],
    [[], 'http://[::1]:3000', true],
    [[], 'http://example.com', false],
    [[], 'http://localhost.example.com', false],
    [[], 'http://notlocalhost', false],
    [[], 'null', false],
    [[], 'localhost', false],
    [[], 'file://', false],
    [[], 'http://localhost:5173/path', false],
    // A list replaces that.
    [['https://app.example.com'], 'https://app.example.com', true],
    [['https://app.example.com/'], 'https://app.example.com', true],
    [['https://app.example.com'], 'http://app.example.com', false],
    [['https://app.example.com'], 'https://app.example.com:444', false],
    [['https://app.example.com'], 'https://evil-app.example.com', false],
    [['https://app.example.com'], 'https://app.example.com.evil.com', false],
    [['https://app.example.com'], 'http://localhost:5173', false],
    [['*'], 'https://anything.example', true],
    [['*'], 'null', true],
  ])('with %j, %s is allowed: %s', async (corsAllowedOrigins, origin, isAllowed) => {
    await using listener = await openTestListener({ corsAllowedOrigins });
    const expected = isAllowed ? (corsAllowedOrigins.includes('*') ? '*' : origin) : null;

    const before = await preflight(listener.url, origin);
    expect(before.status).toBe(isAllowed ? 204 : 403);
    expect(before.headers.get('access-control-allow-origin')).toBe(expected);
    const allowed = before.headers.get('access-control-allow-headers')?.toLowerCase() ?? '';
    expect(allowed.includes('connect-protocol-version')).toBe(isAllowed);

    // Errors carry the headers, too, or the page could not read them.
    for (const path of ['/healthz', '/nothing', rpcPath]) {
      const response = await fetch(listener.url + path, { headers: { origin } });
      expect(response.headers.get('access-control-allow-origin')).toBe(expected);
      expect(response.headers.get('vary')).toBe('Origin');
      const exposed = response.headers.get('access-control-expose-headers')?.toLowerCase() ?? '';
      expect(exposed.includes('grpc-status-details-bin')).toBe(isAllowed);
    }
  });

  test('a page of the same host is allowed, whatever the list', async () => {
    await using listener = await openTestListener({
      corsAllowedOrigins: ['https://app.example.com'],
    });
    const response = await preflight(listener.url, listener.url);
    expect(response.headers.get('access-control-allow-origin')).toBe(listener.url);
  });

  test('a request without an origin gets no such headers', async () => {
    await using listener = await openTestListener();
    const response = await fetch(`${listener.url}/healthz`);
    expect(response.headers.has('access-control-allow-origin')).toBe(false);
  });
});
