import { describe, expect, test } from 'vitest';
import { defaultFeedBounds } from '../../src/exchange/feed-settings.ts';
import { StreamWatch } from '../../src/exchange/stream-watch.ts';
import { aBookTicker, aTrade } from '../support/builders.ts';

const tickMs = 500;

/** A watch whose symbol has traded every `everyMs` for ten minutes, or ten times, and just now. */
function aWatch(everyMs: number): { watch: StreamWatch; id: number } {
  const watch = new StreamWatch('BTCUSDT', defaultFeedBounds);
  watch.learn(0);
  let id = 0;
  for (let passedMs = 0; passedMs <= Math.max(600_000, everyMs * 10); passedMs += tickMs) {
    if (passedMs % everyMs === 0) watch.see(aTrade({ id: ++id }));
    watch.tick(tickMs);
  }
  return { watch, id };
}

/** How long it is silent before it is doubted. */
function silenceUntilDoubt(watch: StreamWatch): number {
  for (let silentMs = 0; silentMs <= 3_600_000; silentMs += tickMs) {
    if (watch.isDoubtful) return silentMs;
    watch.tick(tickMs);
  }
  return Infinity;
}

describe('a silence is doubted', () => {
  test('after a minute where nothing is known of the symbol yet', () => {
    expect(silenceUntilDoubt(new StreamWatch('A', defaultFeedBounds))).toBe(60_000);
  });

  test.each([
    // A busy symbol, one that trades every ten seconds, one that does every ten minutes.
    [500, 5000, 5500],
    [10_000, 95_000, 100_000],
    [600_000, 300_000, 300_000],
  ])('for a symbol that trades every %s ms after %s to %s ms', (everyMs, from, to) => {
    const silentMs = silenceUntilDoubt(aWatch(everyMs).watch);
    expect(silentMs).toBeGreaterThanOrEqual(from);
    expect(silentMs).toBeLessThanOrEqual(to);
  });

  test('again after twice as long each time REST has confirmed it, up to five minutes', () => {
    const { watch, id } = aWatch(500);
    const doubts: number[] = [];
    for (let doubt = 0; doubt < 8; doubt++) {
      doubts.push(silenceUntilDoubt(watch) / 1000);
      watch.learn(id);
    }
    expect(doubts.slice(0, 6).map(Math.floor)).toEqual([5, 10, 20, 40, 80, 160]);
    expect(silenceUntilDoubt(watch)).toBe(300_000);
  });
});

describe('a stream is dead', () => {
  test('when it still owes what REST knew two seconds ago', () => {
    const { watch, id } = aWatch(500);
    watch.learn(id + 1);
    for (let passedMs = 0; passedMs < 1500; passedMs += tickMs) watch.tick(tickMs);
    expect(watch.fault).toBeUndefined();
    watch.tick(tickMs);
    expect(watch.fault).toBe(`The exchange has had trade ${id + 1}, the stream came to ${id}`);
    watch.restart();
    expect(watch.fault).toBeUndefined();
  });

  test.each<readonly [string, (watch: StreamWatch, id: number) => void]>([
    ['it brings what it owes', (watch, id) => watch.see(aTrade({ id: id + 1 }))],
    ['REST knows nothing newer', (watch, id) => watch.learn(id)],
    ['REST knows of no trade at all', (watch) => watch.learn(undefined)],
  ])('but not when %s', (_name, act) => {
    const { watch, id } = aWatch(500);
    if (_name.includes('owes')) watch.learn(id + 1);
    act(watch, id);
    for (let passedMs = 0; passedMs < 60_000; passedMs += tickMs) watch.tick(tickMs);
    expect(watch.fault).toBeUndefined();
  });

  test('but not for a trade before the first that REST told after it was subscribed', () => {
    const watch = new StreamWatch('A', defaultFeedBounds);
    watch.learn(1000);
    for (let passedMs = 0; passedMs < 60_000; passedMs += tickMs) watch.tick(tickMs);
    watch.learn(1000);
    watch.tick(10_000);
    expect(watch.fault).toBeUndefined();
  });

  test('when there are fifty trades in ten seconds and no book ticker, where there had been some', () => {
    for (const hasTicked of [true, false]) {
      const watch = new StreamWatch('A', defaultFeedBounds);
      if (hasTicked) watch.see(aBookTicker());
      for (let id = 1; id <= 60; id++) {
        watch.see(aTrade({ id }));
        watch.tick(tickMs);
      }
      expect(watch.fault !== undefined).toBe(hasTicked);
    }
  });
});
