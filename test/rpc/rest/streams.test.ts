import { once } from 'node:events';
import { connect } from 'node:net';
import { create } from '@bufbuild/protobuf';
import type { Message } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { openMetrics } from '../../../src/base/metrics.ts';
import { Refusal } from '../../../src/domain/refusal.ts';
import type { ListenerOptions } from '../../../src/rpc/listener.ts';
import { eventually } from '../../support/eventually.ts';
import { openTestListener } from '../../support/test-listener.ts';
import { echoRoutes, echoService } from './echo-service.ts';

const rules = [{ get: '/stream' }, { post: '/stream', body: '*' }];
const { input: schema } = echoService(rules, true).methods[0] ?? raise();

function raise(): never {
  throw new Error('Expected an RPC');
}

type Fields = Readonly<Record<string, unknown>>;
type Answer = (request: Message, signal: AbortSignal) => AsyncIterable<Message>;

const open = (answer: Answer, options: Partial<ListenerOptions> = {}) =>
  openTestListener({ routes: echoRoutes(rules, answer), ...options });

/** Messages of these fields. */
function* messages(...all: readonly Fields[]): Generator<Message> {
  for (const fields of all) yield create(schema, fields);
}

async function* answering(...all: readonly Fields[]): AsyncGenerator<Message> {
  yield* messages(...all);
}

const events = { accept: 'text/event-stream' };

/** What a client has got, read as it comes. */
function reader(response: Response) {
  const pieces = (response.body ?? raise()).pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    until: async (end: string) => {
      while (!text.includes(end)) {
        const { done, value } = await pieces.read();
        if (done) throw new Error(`Expected ${end} in ${text}`);
        text += value;
      }
      return text;
    },
    leave: () => pieces.cancel(),
  };
}

describe('a stream is', () => {
  test.each([
    [{}],
    [{ accept: '*/*' }],
    [{ accept: 'application/x-ndjson' }],
    [{ accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }],
  ])('lines of JSON for %j', async (headers) => {
    await using listener = await open(() => answering({ text: 'a' }, { text: 'b\n' }));
    const response = await fetch(`${listener.url}/stream`, { headers });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const lines = (await response.text()).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => (JSON.parse(line) as { text: string }).text)).toEqual(['a', 'b\n']);
  });

  test('events for a browser, whose ids are the cursors', async () => {
    await using listener = await open(() => answering({ text: 'a', cursor: 'c1' }, { text: 'b' }));
    const response = await fetch(`${listener.url}/stream`, { headers: events });
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const text = await response.text();
    const data = text.replaceAll(/^data: \{"text":"(\w)".*$/gmu, 'data: $1');
    expect(data).toBe('retry: 2000\n\nid: c1\ndata: a\n\ndata: b\n\nevent: end\ndata: {}\n\n');
  });

  test('what a POST asks for, too', async () => {
    const texts: unknown[] = [];
    await using listener = await open((request) => {
      if ('text' in request) texts.push(request.text);
      return answering();
    });
    const options = { method: 'POST', body: '{"text": 1.0}' };
    const response = await fetch(`${listener.url}/stream`, options);
    expect([response.status, await response.text(), texts]).toEqual([200, '', ['1.0']]);
  });

  test('not begun for HEAD', async () => {
    let isBegun = false;
    await using listener = await open(() => {
      isBegun = true;
      return answering();
    });
    const response = await fetch(`${listener.url}/stream`, { method: 'HEAD' });
    expect([response.status, response.headers.get('content-type'), isBegun]).toEqual([
      200,
      'application/x-ndjson',
      false,
    ]);
  });
});

describe('a cursor', () => {
  test.each([
    ['/stream', 'c7', 'c7'],
    // The browser asks the same URL again: what it has got since is the later one.
    ['/stream?resume_after=c1', 'c7', 'c7'],
    ['/stream?resume_after=c1', '', 'c1'],
  ])('%s with Last-Event-ID "%s" resumes after %s', async (path, lastEventId, expected) => {
    const asked: unknown[] = [];
    await using listener = await open((request) => {
      if ('resumeAfter' in request) asked.push(request.resumeAfter);
      return answering();
    });
    const headers = { ...events, 'last-event-id': lastEventId };
    await (await fetch(listener.url + path, { headers })).text();
    expect(asked).toEqual([expected]);
  });
});

describe('an error', () => {
  const failing = (...before: readonly Fields[]) =>
    async function* (): AsyncGenerator<Message> {
      yield* messages(...before);
      throw new Refusal('outOfRange', 'Too old');
    };

  test.each([[{}], [events]])('before the first message is an answer: %j', async (headers) => {
    await using listener = await open(failing());
    const response = await fetch(`${listener.url}/stream`, { headers });
    expect([response.status, response.headers.get('content-type')]).toEqual([
      400,
      'application/json',
    ]);
    expect(await response.json()).toMatchObject({ code: 11, message: 'Too old' });
  });

  test('later is the last line', async () => {
    await using listener = await open(failing({ text: 'a' }));
    const text = await (await fetch(`${listener.url}/stream`)).text();
    const [first = '', last = '', end] = text.split('\n');
    expect(JSON.parse(first)).toMatchObject({ text: 'a' });
    expect(JSON.parse(last)).toEqual({ error: { code: 11, message: 'Too old', details: [] } });
    expect(end).toBe('');
  });

  test('later is the last event', async () => {
    await using listener = await open(failing({ text: 'a' }));
    const text = await (await fetch(`${listener.url}/stream`, { headers: events })).text();
    expect(text.split('\n\n').slice(-2)).toEqual([
      'event: error\ndata: {"code":11,"message":"Too old","details":[]}',
      '',
    ]);
  });

  test('of the request is told before the RPC is called', async () => {
    await using listener = await open(failing({ text: 'a' }));
    const response = await fetch(`${listener.url}/stream?count=x`, { headers: events });
    expect([response.status, await response.json()]).toEqual([
      400,
      expect.objectContaining({ code: 3 }),
    ]);
  });
});

describe('a stream ends', () => {
  /** Yields one message and then waits until it is told to stop. */
  async function* waiting(_request: Message, signal: AbortSignal): AsyncGenerator<Message> {
    yield* messages({ text: 'a' });
    if (!signal.aborted) await once(signal, 'abort');
    throw ConnectError.from(signal.reason);
  }

  test('when its client leaves', async () => {
    const metrics = openMetrics({ processMetrics: false });
    await using listener = await open(waiting, { metrics });
    const client = reader(await fetch(`${listener.url}/stream`));
    await client.until('\n');
    expect(await metrics.metrics()).toMatch(/^tradewind_rpcs_active 1$/mu);
    await client.leave();
    await eventually(async () => {
      const text = await metrics.metrics();
      expect(text).toMatch(/^tradewind_rpcs_active 0$/mu);
      expect(text).toContain('grpc_method="Echo",grpc_code="Canceled"} 1\n');
    });
  });

  test.each([
    ['grpc-timeout', '50m'],
    ['connect-timeout-ms', '50'],
  ])('at the deadline that %s names', async (name, value) => {
    await using listener = await open(waiting);
    const response = await fetch(`${listener.url}/stream`, { headers: { [name]: value } });
    const [, last = ''] = (await response.text()).split('\n');
    expect(JSON.parse(last)).toMatchObject({ error: { code: Code.DeadlineExceeded } });
  });

  test('when the server stops', async () => {
    const listener = await open(waiting, { graceMs: 5_000 });
    const client = reader(await fetch(`${listener.url}/stream`, { headers: events }));
    await client.until('data: ');
    const stopped = listener[Symbol.asyncDispose]();
    expect(await client.until('event: error')).toBeDefined();
    expect(await client.until('"code":14')).toBeDefined();
    await stopped;
  });

  test('for a reader that takes nothing', async () => {
    const metrics = openMetrics({ processMetrics: false });
    let sent = 0;
    const listener = await open(
      async function* () {
        for (;;) {
          sent++;
          yield* messages({ text: 'x'.repeat(10_000) });
        }
      },
      { metrics, limits: { stallTimeoutMs: 200 } },
    );
    const socket = connect(listener.port, '127.0.0.1');
    socket.pause();
    socket.write('GET /stream HTTP/1.1\r\nhost: localhost\r\n\r\n');
    await eventually(async () => {
      expect(sent).toBeGreaterThan(1);
      expect(await metrics.metrics()).toMatch(/^tradewind_rpcs_active 0$/mu);
    });
    // No more was made than what the buffers on the way hold.
    expect(sent).toBeLessThan(2_000);
    socket.destroy();
    await listener[Symbol.asyncDispose]();
  });
});
