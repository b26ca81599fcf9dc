import { Code } from '@connectrpc/connect';
import type { ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StreamOrderEventsResponse } from '../../../gen/tradewind/order/v1/order_service_pb.ts';
import { readStream } from '../../../src/rpc/client/read-stream.ts';
import { eventually } from '../../support/eventually.ts';
import { Floor } from './open-floor.ts';

type Scope =
  | { readonly case: 'orderId' | 'account'; readonly value: string }
  | { readonly case: 'all'; readonly value: true };

let floor: Floor;

beforeAll(async () => {
  floor = await Floor.open();
});
afterAll(() => floor[Symbol.asyncDispose]());

/** Follows a stream, and keeps what it says, until it ends or is left. */
function follow(scope: Scope, resumeAfter = '') {
  const elements: StreamOrderEventsResponse[] = [];
  const leaving = new AbortController();
  const open = (signal: AbortSignal) =>
    floor.orders.streamOrderEvents({ scope, resumeAfter }, { signal });
  const ended = (async () => {
    for await (const element of readStream(open, leaving.signal)) elements.push(element);
    return 'ended' as const;
  })().catch((error: ConnectError) => error);
  return {
    elements,
    ended,
    leave: () => leaving.abort(),
    isThrough: () => eventually(() => elements.some(({ event }) => event.case === 'snapshotEnd')),
    events: () => eventsOf(elements),
  };
}

/** Which version of which order each element tells: "3 of …"; of the snapshot with a star. */
function eventsOf(elements: readonly StreamOrderEventsResponse[]): readonly string[] {
  return elements.flatMap(({ event }) => {
    if (event.case === 'order') return [`*${event.value.version} of ${event.value.orderId}`];
    if (event.case === 'orderEvent') return [`${event.value.version} of ${event.value.orderId}`];
    return [];
  });
}

const cancel = (orderId: string, account: string) =>
  floor.orders.cancelOrder({ account, order: { case: 'orderId', value: orderId } });

test('the stream of an order tells it as it is, all that happens to it, and ends with it', async () => {
  const { orderId } = await floor.submit();
  const stream = follow({ case: 'orderId', value: orderId });
  await stream.isThrough();
  await floor.submit();
  await floor.quote(['42', '5', '43', '10']);
  await floor.quote(['42.5', '100', '43', '10']);
  expect(await stream.ended).toBe('ended');
  const what = stream.elements
    .filter(({ event }) => event.case !== 'heartbeat')
    .map(({ event }) => {
      if (event.case !== 'orderEvent') return event.case;
      const { event: detail, order } = event.value;
      return detail.case === 'filled'
        ? `${detail.value.quantity} @ ${detail.value.price}, ${order?.remainingQuantity} left`
        : detail.case;
    });
  expect(what).toEqual(['order', 'snapshotEnd', '5 @ 42, 20 left', '20 @ 42.5, 0 left']);

  const again = follow({ case: 'orderId', value: orderId });
  expect([await again.ended, again.events()]).toEqual(['ended', [`*3 of ${orderId}`]]);
});

test('the stream of an account begins with its open orders, and has nobody else’s events', async () => {
  const wish = { account: 'watched', limitPrice: '90' };
  const [ended, open] = [await floor.submit(wish), await floor.submit(wish)];
  await cancel(ended.orderId, 'watched');
  const stream = follow({ case: 'account', value: 'watched' });
  const all = follow({ case: 'all', value: true });
  await Promise.all([stream.isThrough(), all.isThrough()]);
  const other = await floor.submit({ ...wish, account: 'unwatched' });
  await cancel(open.orderId, 'watched');
  const expected = [`*1 of ${open.orderId}`, `2 of ${open.orderId}`];
  await eventually(() => expect(stream.events()).toEqual(expected));
  await eventually(() => {
    expect(all.events()).toEqual(expect.arrayContaining([...expected, `1 of ${other.orderId}`]));
  });
  stream.leave();
  all.leave();
});

test('an order that there is not is not found', async () => {
  expect(await follow({ case: 'orderId', value: 'nobody' }).ended).toMatchObject({
    code: Code.NotFound,
    rawMessage: 'order_id: "nobody" is no order',
  });
});

test.each([
  [
    'o1.999999999',
    Code.OutOfRange,
    /^resume_after: expected a cursor of this log, got one beyond its end/u,
  ],
  ['o1.9999999999999999', Code.InvalidArgument, /^resume_after: expected a cursor of this stream/u],
  ['p1.1', Code.InvalidArgument, /resume_after/u],
  ['o1.-1', Code.InvalidArgument, /resume_after/u],
  ['mine', Code.InvalidArgument, /resume_after/u],
])('the cursor %s of nowhere is refused', async (cursor, code, message) => {
  expect(await follow({ case: 'all', value: true }, cursor).ended).toMatchObject({
    code,
    rawMessage: expect.stringMatching(message),
  });
});

test('who resumes again and again under 8 writers misses nothing and gets nothing twice', async () => {
  const account = 'crowd';
  const scope = { case: 'account' as const, value: account };
  const [writers, turns] = [8, 15];
  const stream = follow(scope);
  await stream.isThrough();
  // Left after every few elements, so that most of it is caught up with and not tailed.
  const patchy = (async () => {
    const elements: StreamOrderEventsResponse[] = [];
    const isAll = () => eventsOf(elements).length === writers * turns * 2;
    let resumeAfter = stream.elements.at(-1)?.cursor ?? '';
    for (let turn = 1; !isAll(); turn++) {
      const open = (signal: AbortSignal) =>
        floor.orders.streamOrderEvents({ scope, resumeAfter }, { signal });
      let count = 0;
      for await (const element of readStream(open)) {
        elements.push(element);
        resumeAfter = element.cursor;
        if (++count > turn % 7 || isAll()) break;
      }
    }
    return eventsOf(elements);
  })();
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let turn = 0; turn < turns; turn++) {
        const instrument = (writer + turn) % 2 === 0 ? 'BNBUSDT' : 'LTCBTC';
        const { orderId } = await floor.submit({ account, instrument, limitPrice: '95' });
        await cancel(orderId, account);
      }
    }),
  );
  const told = await patchy;
  expect(new Set(told).size).toBe(told.length);
  await eventually(() => expect(stream.events()).toEqual(told));
  stream.leave();
});

test('a stream ends UNAVAILABLE when the server stops, and goes on after its last cursor', async () => {
  const account = 'long';
  const stream = follow({ case: 'account', value: account });
  await stream.isThrough();
  const { orderId } = await floor.submit({ account, limitPrice: '95' });
  await eventually(() => expect(stream.events()).toHaveLength(1));
  await floor.stopServer();
  expect(await stream.ended).toMatchObject({ code: Code.Unavailable });
  const last = stream.elements.at(-1);
  expect([last?.event.case, last?.cursor]).toEqual([
    'heartbeat',
    expect.stringMatching(/^o1\.\d+$/u),
  ]);
  await floor.startServer();
  await cancel(orderId, account);
  const resumed = follow({ case: 'account', value: account }, last?.cursor);
  await eventually(() => expect(resumed.events()).toEqual([`2 of ${orderId}`]));
  expect(resumed.elements.some(({ event }) => event.case === 'snapshotEnd')).toBe(false);
  resumed.leave();
});
