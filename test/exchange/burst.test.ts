import { expect, test } from 'vitest';
import { aBookTickerPayload, aFrame, anAggTradePayload } from '../support/binance-frames.ts';
import { openTwinFeed } from '../support/twin-feed.ts';

test('a burst of 50,000 frames is delivered whole and in order, and others get their turn meanwhile', async () => {
  await using setup = await openTwinFeed();
  const { twin, events, untilState, untilEvents, feed } = setup;
  await untilState('open');
  const before = events.length;
  const [socket] = twin.sockets;
  let longestRun = 0;
  let told = before;
  const timer = setInterval(() => {
    longestRun = Math.max(longestRun, events.length - told);
    told = events.length;
  }, 1);
  for (let id = 1; id <= 25_000; id++) {
    socket?.send(aFrame(anAggTradePayload({ a: id, f: id, l: id })));
    socket?.send(aFrame(aBookTickerPayload({ u: id })));
  }
  await untilEvents('bookTicker', 25_000);
  clearInterval(timer);

  const ids = events.flatMap((event) => (event.type === 'trade' ? [event.id] : []));
  expect(ids).toEqual(Array.from({ length: 25_000 }, (_, index) => index + 1));
  expect(feed.status().counters.badFrames).toEqual({ unreadable: 0, binary: 0, field: 0, time: 0 });
  // Node reads 64 KiB of a socket at a time: some 400 frames, then everybody else.
  expect(longestRun).toBeLessThan(25_000);
});
