import { expect } from 'vitest';
import type { Micros } from '../../src/base/clock.ts';
import { eventually } from '../support/eventually.ts';
import { exchangeKlines, valuesOfCandle } from './exchange-klines.ts';
import type { Values } from './exchange-klines.ts';
import { start } from './faulty-line.ts';
import type { FaultyLine } from './faulty-line.ts';
import { expectInOrder } from './followed-streams.ts';
import type { FollowedTimeframe } from './followed-streams.ts';

/** Lines of warning that one fault may cost: each cause is told once a minute. */
const maximumWarnings = 60;

/**
 * Waits until every candle from the start up to now has come, whole and as the exchange's own klines
 * tell it, and every gap has its end (I6, I7); then holds the rest against what must always be.
 */
export async function expectWhole(
  line: FaultyLine,
  symbols: readonly string[] = line.symbols,
): Promise<void> {
  const { streams, clock } = line;
  const to = Math.floor(clock.now() / 1e6) * 1e6;
  await line.passed(2000);
  for (const symbol of symbols) {
    await eventually(() => expect(streams.closedUntil(symbol)).toBeGreaterThanOrEqual(to));
    for (const timeframe of ['1s', '1m'] as const) {
      const klines = await klinesUntil(line, symbol, timeframe, to);
      await eventually(() => {
        const versions = streams.versions(symbol, timeframe);
        for (const [openTime, kline] of klines) {
          const name = `${symbol} ${timeframe} ${new Date(openTime / 1000).toISOString()}`;
          const candle = versions.get(openTime)?.at(-1);
          expect([candle?.isComplete, candle?.isPartial], `${name} is whole`).toEqual([
            true,
            false,
          ]);
          expect(candle && valuesOfCandle(candle), name).toEqual(kline);
        }
      });
    }
    await eventually(() => expect(openGaps(line, symbol), 'no gap stays open').toEqual([]));
  }
  await eventually(() => expectTrue(line));
  await expectSound(line);
}

/** What holds at any time: the streams are in order, and the server lives and has not cried (I7, I9, I12). */
export async function expectSound({ streams, server, log }: FaultyLine): Promise<void> {
  await eventually(() => expectInOrder(streams));
  expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
  expect(log.length, `warnings: ${log.slice(0, 5).join('')}`).toBeLessThan(maximumWarnings);
  const errors = log.filter((line) => (JSON.parse(line) as { level: number }).level >= 50);
  expect(errors).toEqual([]);
}

/** Holds the newest version of each closed candle that claims to be whole against the exchange's kline. */
async function expectTrue(line: FaultyLine): Promise<void> {
  for (const symbol of line.symbols) {
    for (const timeframe of ['1s', '1m'] as const) {
      const klines = await klinesUntil(line, symbol, timeframe, line.clock.now() - 1_000_000);
      for (const [openTime, versions] of line.streams.versions(symbol, timeframe)) {
        const kline = klines.get(openTime);
        const candle = versions.at(-1);
        if (kline === undefined || candle?.isComplete !== true || candle.isPartial) continue;
        const name = `${symbol} ${timeframe} ${new Date(openTime / 1000).toISOString()} is true`;
        expect(valuesOfCandle(candle), name).toEqual(kline);
      }
    }
  }
}

/** Gaps whose end has not been told. */
function openGaps({ streams }: FaultyLine, symbol: string) {
  const gaps = streams.gapsOf(symbol);
  const isOver = (id: number) =>
    gaps.some(
      ({ state, firstMissingId, lastMissingId }) =>
        state !== 'open' && id >= firstMissingId && id <= lastMissingId,
    );
  return gaps.filter(({ firstMissingId }) => !isOver(firstMissingId));
}

/** The klines of the test's time that ended by then. */
async function klinesUntil(
  { simulatorUrl }: FaultyLine,
  symbol: string,
  timeframe: FollowedTimeframe,
  to: Micros,
): Promise<ReadonlyMap<Micros, Values>> {
  const length = timeframe === '1s' ? 1_000_000 : 60_000_000;
  const from = Math.floor(start / length) * length;
  const until = Math.floor(to / length) * length;
  if (until <= from) return new Map();
  return exchangeKlines(simulatorUrl, symbol, timeframe, [from, until]);
}
