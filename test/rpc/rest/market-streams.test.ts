import { describe, expect, test } from 'vitest';
import { openServedMarket } from '../../support/served-market.ts';

const path = '/v1/candles:stream?selections.instrument=BTCUSDT&selections.timeframe=1s';
const events = { accept: 'text/event-stream' };

/** An answer's text as it comes, part by part. */
async function openText(url: string, headers: Record<string, string>) {
  const response = await fetch(url, { headers });
  expect(response.status).toBe(200);
  const pieces = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    /** Takes the parts up to the first that matches; they end in `end`. */
    async take(end: string, matches: (part: string) => boolean): Promise<readonly string[]> {
      const taken: string[] = [];
      for (;;) {
        const length = text.indexOf(end);
        if (length >= 0) {
          const part = text.slice(0, length);
          text = text.slice(length + end.length);
          taken.push(part);
          if (matches(part)) return taken;
          continue;
        }
        const piece = await pieces?.read();
        if (piece === undefined || piece.done) throw new Error(`Expected more after ${text}`);
        text += piece.value;
      }
    },
    [Symbol.asyncDispose]: async () => await pieces?.cancel(),
  };
}

type Element = {
  readonly cursor: string;
  readonly candle?: { readonly openTime: string; readonly close: string };
  readonly snapshotEnd?: object;
  readonly heartbeat?: object;
};

/** "03 100": the second that a candle opens at, and its close. */
function inShort(json: string): string {
  const { candle, ...element } = JSON.parse(json) as Element;
  if (candle !== undefined) return `${candle.openTime.slice(17, 19)} ${candle.close}`;
  return 'snapshotEnd' in element ? 'snapshotEnd' : 'heartbeat';
}

describe('candles over plain HTTP', () => {
  test('are lines: the snapshot first, then what is published, each candle once', async () => {
    await using served = await openServedMarket();
    served.tape.opened(0).trade(100, 1, '100').trade(1_100, 2, '101').ticker(1_600);
    await using lines = await openText(served.url + path, {});
    const snapshot = await lines.take('\n', (line) => inShort(line) === 'snapshotEnd');
    expect(snapshot.map(inShort)).toEqual(['00 100', 'snapshotEnd']);
    for (let ms = 2_500; ms <= 6_500; ms += 1_000) served.tape.ticker(ms);
    const updates = await lines.take('\n', (line) => inShort(line).startsWith('05'));
    expect(updates.map(inShort)).toEqual(['01 101', '02 101', '03 101', '04 101', '05 101']);
  });

  test('go on after the last event that the browser got', async () => {
    await using served = await openServedMarket();
    served.tape.opened(0).trade(100, 1, '100');
    const isData = (event: string) => event.includes('data: ');
    const dataOf = (event = '') => inShort(/^data: (.*)$/mu.exec(event)?.[1] ?? '{}');
    let id: string;
    {
      await using first = await openText(served.url + path, events);
      const begin = await first.take('\n\n', isData);
      expect(begin).toEqual(['retry: 2000', expect.stringMatching(/^id: c1\./u)]);
      for (let ms = 1_500; ms <= 4_500; ms += 1_000) served.tape.ticker(ms);
      const seen = await first.take('\n\n', (event) => dataOf(event) === '01 100');
      id = /^id: (.*)$/mu.exec(seen.at(-1) ?? '')?.[1] ?? '';
    }
    for (let ms = 5_500; ms <= 6_500; ms += 1_000) served.tape.ticker(ms);
    await using again = await openText(served.url + path, { ...events, 'last-event-id': id });
    const missed = await again.take(
      '\n\n',
      (event) => isData(event) && dataOf(event) === 'snapshotEnd',
    );
    expect(missed.filter(isData).map(dataOf)).toEqual([
      '02 100',
      '03 100',
      '04 100',
      '05 100',
      'snapshotEnd',
    ]);
  });

  test('show that they are alive', async () => {
    await using served = await openServedMarket();
    served.tape.opened(0).trade(100, 1, '100');
    await using lines = await openText(served.url + path, {});
    await using browser = await openText(served.url + path, events);
    await lines.take('\n', (line) => inShort(line) === 'snapshotEnd');
    await browser.take('\n\n', (event) => event.includes('snapshotEnd'));
    await served.clock.advance(10_000, 1_000);
    const [line = ''] = await lines.take('\n', () => true);
    expect(inShort(line)).toBe('heartbeat');
    // A comment, which a browser does not tell its page, but whose id it keeps.
    const [comment] = await browser.take('\n\n', () => true);
    expect(comment).toMatch(/^: heartbeat\nid: c1\.[\d.]+$/u);
  });

  test('end for a reader that is too slow, and tell it why', async () => {
    await using served = await openServedMarket({ readerLimits: { maxPendingBytes: 2_000 } });
    served.tape.opened(0).trade(100, 1, '100');
    await using lines = await openText(served.url + path, {});
    await lines.take('\n', (line) => inShort(line) === 'snapshotEnd');
    // More than is kept for it, within one turn, in which nobody can read.
    for (let ms = 1_500; ms <= 20_500; ms += 1_000) served.tape.ticker(ms);
    const last = (await lines.take('\n', (line) => line.startsWith('{"error"'))).at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ error: { code: 8 } });
  });

  test('cannot be resumed after what is no cursor', async () => {
    await using served = await openServedMarket();
    const headers = { ...events, 'last-event-id': 'nonsense' };
    const response = await fetch(served.url + path, { headers });
    const { code, details } = (await response.json()) as { code: number; details: object[] };
    expect([response.status, code]).toEqual([400, 3]);
    expect(details).toMatchObject([{ fieldViolations: [{ field: 'resume_after' }] }]);
  });
});
