import { create } from '@bufbuild/protobuf';
import type { Message } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Refusal } from '../../src/domain/refusal.ts';
import { echoRoutes, echoService } from '../rpc/rest/echo-service.ts';
import { openTestListener } from '../support/test-listener.ts';
import { openBrowser } from './open-browser.ts';

const rules = [{ get: '/stream' }];

test('a browser goes on by itself after the last event that it got, and ends with the stream', async () => {
  const resumed: unknown[] = [];
  await using listener = await openTestListener({
    routes: echoRoutes(rules, async function* (request) {
      const after = 'resumeAfter' in request ? request.resumeAfter : undefined;
      resumed.push(after);
      if (after === '') {
        yield message('one', 'c1');
        yield message('two', 'c2');
        throw new Refusal('unavailable', 'The server is stopping');
      }
      yield message('three', 'c3');
    }),
  });
  await using stack = new AsyncDisposableStack();
  const browser = await openBrowser();
  stack.defer(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${listener.url}/healthz`);
  // As a page would write it.
  const told = await page.evaluate(`new Promise((resolve) => {
    const told = [];
    const source = new EventSource('/stream');
    source.onmessage = ({ data, lastEventId }) => told.push([JSON.parse(data).text, lastEventId]);
    source.addEventListener('error', ({ data }) => data && told.push(JSON.parse(data).message));
    source.addEventListener('end', () => {
      source.close();
      resolve(told);
    });
  })`);
  expect(told).toEqual([['one', 'c1'], ['two', 'c2'], 'The server is stopping', ['three', 'c3']]);
  expect(resumed).toEqual(['', 'c2']);
});

function message(text: string, cursor: string): Message {
  const schema = echoService(rules, true).methods[0]?.output;
  if (schema === undefined) throw new Error('Expected an RPC');
  return create(schema, { text, cursor });
}
