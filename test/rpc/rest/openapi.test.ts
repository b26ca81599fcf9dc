import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { DescService } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSimulatedServer } from '../../interop/simulated-server.ts';
import type { SimulatedServer } from '../../interop/simulated-server.ts';
import { openTestListener } from '../../support/test-listener.ts';
import { echoRoutes } from './echo-service.ts';
import { mismatches, operationsOf, sampleText } from './openapi-document.ts';
import type { OpenApi, Operation, Parameter } from './openapi-document.ts';

const gen = fileURLToPath(new URL('../../../gen/', import.meta.url));
const generated = JSON.parse(readFileSync(`${gen}openapi.json`, 'utf8')) as OpenApi;

let server: SimulatedServer;
let document: OpenApi;

beforeAll(async () => {
  server = await openSimulatedServer();
  document = (await (await fetch(`${server.url}/openapi.json`)).json()) as OpenApi;
});
afterAll(() => server[Symbol.asyncDispose]());

/** What no annotation of the contract can express. */
const byHand = [
  'GET /health',
  'GET /healthz',
  'GET /metrics',
  'GET /openapi.json',
  'GET /readyz',
  'POST /SellOrder',
  'POST /order/limit',
];

test('a server tells all that it serves: the whole contract, and what is answered by hand', () => {
  const named = (told: OpenApi) =>
    operationsOf(told).map(({ method, path }) => `${method} ${path}`);
  expect(named(document).toSorted()).toEqual([...named(generated), ...byHand].toSorted());
  for (const [path, item] of Object.entries(generated.paths)) {
    expect(document.paths[path]).toEqual(item);
  }
});

test('a listener tells nothing that it does not serve', async () => {
  await using listener = await openTestListener({ routes: echoRoutes([{ get: '/echo' }]) });
  const told = (await (await fetch(`${listener.url}/openapi.json`)).json()) as OpenApi;
  expect(Object.keys(told.paths).toSorted()).toEqual([
    '/healthz',
    '/metrics',
    '/openapi.json',
    '/readyz',
  ]);
});

test.each(['/health', '/openapi.json'])('%s has no parameters', async (path) => {
  const response = await fetch(`${server.url}${path}?x=1`);
  expect([response.status, await response.json()]).toEqual([
    400,
    expect.objectContaining({ message: 'x: there are no parameters here' }),
  ]);
});

describe('the document', () => {
  let operations: ReturnType<typeof operationsOf>;
  beforeAll(() => {
    operations = operationsOf(document);
  });

  test('names every operation once', () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(20);
  });

  test('has every RPC of ours', async () => {
    const services = (
      await Promise.all(globSync(`${gen}tradewind/**/*_pb.ts`).map((path) => import(path)))
    )
      .flatMap((module: object) => Object.values(module))
      .filter(isService);
    const rpcs = services.flatMap(({ name, methods }) =>
      methods.map((method) => `${name}_${method.name}`),
    );
    const served = operations.map(({ operation }) => operation.operationId);
    expect(rpcs.length).toBeGreaterThan(5);
    expect(rpcs.filter((rpc) => !served.includes(rpc))).toEqual([]);
  });

  test('explains every operation, parameter and field', () => {
    const mute = operations.flatMap(({ operation }) => [
      ...(operation.description === '' ? [operation.operationId] : []),
      ...operation.parameters
        .filter(({ description }) => description === '')
        .map(({ name }) => `${operation.operationId} ${name}`),
    ]);
    expect(mute).toEqual([]);
  });

  test('has the parameters of its paths, and every schema that it refers to', () => {
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{([^{}]+)\}/gu)].map(([, name]) => name);
      const told = operation.parameters
        .filter((each) => each.in === 'path')
        .map(({ name }) => name);
      expect(told).toEqual(inPath);
    }
    const text = JSON.stringify(document);
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/gu)) {
      expect(document.components.schemas).toHaveProperty([name]);
    }
  });
});

describe('what the document says is so', () => {
  const names = [
    ...operationsOf(generated).map(({ method, path }) => [method, path] as const),
    ...byHand.map((name) => name.split(' ')),
  ];

  test.each(names)('%s %s', async (...name: readonly string[]) => {
    const [method = '', path = ''] = name;
    const operation = document.paths[path]?.[method.toLowerCase()];
    assert(operation !== undefined);
    const required = operation.parameters.filter((parameter) => parameter.in === 'path');
    const optional = operation.parameters.filter((parameter) => parameter.in === 'query');
    // All together may be refused; each by itself is known, and read as the document has it.
    for (const parameters of [...optional.map((one) => [one]), optional]) {
      const { status, text } = await ask(method, path, operation, [...required, ...parameters]);
      expect([405, 415, 500, 501]).not.toContain(status);
      expect(text).not.toContain('There is nothing here');
      expect(text).not.toContain('there is no such parameter');
      expect(text).not.toMatch(/expected (?:an? |one of |true )[^"]*, got (?!none)/u);
    }
  });

  test.each([
    ['/v1/server', {}],
    ['/health', {}],
    ['/v1/instruments', {}],
    ['/v1/instruments/{instrument}/candles', { instrument: 'BTCUSDT', timeframe: '1m' }],
    ['/v1/candles:stream', { 'selections.instrument': 'BTCUSDT', 'selections.timeframe': '1s' }],
    ['/v1/trades:stream', { instruments: 'BTCUSDT' }],
    ['/v1/book-tickers:stream', {}],
  ])('%s answers %j with what its schema knows', async (path, values: Record<string, string>) => {
    const operation = document.paths[path]?.['get'];
    assert(operation !== undefined);
    const parameters = operation.parameters.filter(({ name }) => name in values);
    const { status, text, type } = await ask('GET', path, operation, parameters, values);
    expect(status).toBe(200);
    const schema = operation.responses['200']?.content[type]?.schema ?? {};
    expect(mismatches(document, schema, JSON.parse(text))).toEqual([]);
  });

  test('an error has the schema of errors', async () => {
    const response = await fetch(`${server.url}/v1/instruments?exchange=A%20B`);
    const schema = { $ref: '#/components/schemas/google.rpc.Status' };
    expect(mismatches(document, schema, await response.json())).toEqual([]);
  });
});

function isService(value: unknown): value is DescService {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'service';
}

/** Asks as the document says; of an answer that goes on, the first line. */
async function ask(
  method: string,
  path: string,
  { requestBody }: Operation,
  parameters: readonly Parameter[],
  values: Readonly<Record<string, string>> = {},
): Promise<{ status: number; text: string; type: string }> {
  const url = new URL(server.url);
  const valueOf = ({ name, schema }: Parameter) => values[name] ?? sampleText(schema, name);
  url.pathname = parameters
    .filter((parameter) => parameter.in === 'path')
    .reduce((text, one) => text.replace(`{${one.name}}`, encodeURIComponent(valueOf(one))), path);
  for (const one of parameters.filter((parameter) => parameter.in === 'query')) {
    url.searchParams.append(one.name, valueOf(one));
  }
  const body = requestBody === undefined ? {} : { body: '{}', headers: jsonHeaders };
  const response = await fetch(url, { method, ...body });
  const type = response.headers.get('content-type') ?? '';
  return { status: response.status, text: await firstLine(response), type };
}

const jsonHeaders = { 'content-type': 'application/json' };

async function firstLine(response: Response): Promise<string> {
  let text = '';
  const pieces = response.body?.pipeThrough(new TextDecoderStream()) ?? [];
  for await (const piece of pieces) {
    text += piece;
    if (text.includes('\n')) break;
  }
  return text.split('\n', 1)[0] ?? '';
}
