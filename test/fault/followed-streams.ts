import { expect } from 'vitest';
import { Timeframe } from '../../gen/tradewind/market/v1/candle_pb.ts';
import type { Micros } from '../../src/base/clock.ts';
import type { Candle } from '../../src/domain/candle.ts';
import type { Gap } from '../../src/domain/gap.ts';
import { readStream } from '../../src/rpc/client.ts';
import type { MarketClient } from '../../src/rpc/client.ts';
import { candleFromMessage, gapFromMessage } from '../../src/rpc/messages.ts';

export type FollowedTimeframe = '1s' | '1m';

/** What a client of the streams has got, from the first element on, as it came. */
export class FollowedStreams implements AsyncDisposable {
  /** Every version of every closed candle. */
  readonly candles: Candle[] = [];
  readonly gaps: Gap[] = [];
  /** The ids of the trades of each instrument, as they came. */
  readonly trades = new Map<string, number[]>();
  readonly cursors: string[] = [];
  /** Why a stream ended, should one. */
  readonly ends: unknown[] = [];
  /** Snapshots that are complete: one of each stream. */
  snapshots = 0;
  readonly firstIds = new Map<string, number>();
  readonly #closing = new AbortController();
  readonly #reading: Promise<unknown>;

  constructor(client: MarketClient, instruments: readonly string[]) {
    const follow = async (read: (signal: AbortSignal) => Promise<void>) => {
      try {
        await read(this.#closing.signal);
        this.ends.push('It ended without a word');
      } catch (error) {
        if (!this.#closing.signal.aborted) this.ends.push(error);
      }
    };
    this.#reading = Promise.all([
      follow((signal) => this.#readCandles(client, instruments, signal)),
      follow((signal) => this.#readTrades(client, instruments, signal)),
    ]);
  }

  /** The versions of a symbol's closed candles, in the order of their coming, by open time. */
  versions(symbol: string, timeframe: FollowedTimeframe): ReadonlyMap<Micros, readonly Candle[]> {
    const versions = new Map<Micros, Candle[]>();
    for (const candle of this.candles) {
      if (candle.instrument !== `sim-binance:${symbol}`) continue;
      if (candle.timeframe !== timeframe) continue;
      versions.set(candle.openTime, [...(versions.get(candle.openTime) ?? []), candle]);
    }
    return versions;
  }

  gapsOf(symbol: string): readonly Gap[] {
    return this.gaps.filter(({ instrument }) => instrument === `sim-binance:${symbol}`);
  }

  tradesOf(symbol: string): readonly number[] {
    return this.trades.get(`sim-binance:${symbol}`) ?? [];
  }

  /** Until when the seconds of a symbol are closed. */
  closedUntil(symbol: string): Micros {
    const instrument = `sim-binance:${symbol}`;
    const last = this.candles.findLast(
      (candle) => candle.instrument === instrument && candle.timeframe === '1s',
    );
    return last?.closeTime ?? 0;
  }

  /** Trades after this one must come; those before it are history. */
  begin(symbol: string, lastId: number): void {
    this.firstIds.set(`sim-binance:${symbol}`, lastId + 1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    await this.#reading;
  }

  async #readCandles(client: MarketClient, instruments: readonly string[], signal: AbortSignal) {
    const selections = instruments.flatMap((instrument) =>
      [Timeframe.S1, Timeframe.M1].map((timeframe) => ({ instrument, timeframe })),
    );
    let isLive = false;
    const request = { selections, includeRetained: true };
    const open = (signal: AbortSignal) => client.streamCandles(request, { signal });
    for await (const { event, cursor } of readStream(open, signal)) {
      if (event.case === 'candle') this.candles.push(candleFromMessage(event.value));
      if (event.case === 'gap') this.gaps.push(gapFromMessage(event.value));
      if (isLive && event.case !== 'heartbeat') this.cursors.push(cursor);
      if (event.case !== 'snapshotEnd') continue;
      isLive = true;
      this.snapshots++;
    }
  }

  async #readTrades(client: MarketClient, instruments: readonly string[], signal: AbortSignal) {
    const request = { instruments: [...instruments] };
    const open = (signal: AbortSignal) => client.streamTrades(request, { signal });
    for await (const { event } of readStream(open, signal)) {
      if (event.case === 'snapshotEnd') this.snapshots++;
      if (event.case !== 'trade') continue;
      const { instrument, id } = event.value;
      const ids = this.trades.get(instrument) ?? [];
      ids.push(Number(id));
      this.trades.set(instrument, ids);
    }
  }
}

/** What holds of every stream at any time, whatever goes wrong behind it. */
export function expectInOrder({ ends, cursors, trades, firstIds, gaps, candles }: FollowedStreams) {
  expect(ends, 'no stream ends').toEqual([]);
  const places = cursors.map((cursor) => cursor.split('.').map(Number));
  for (const [index, [, run = 0, sequence = 0]] of places.entries()) {
    const [, runBefore = run, before = -1] = places[index - 1] ?? [];
    expect(run, 'one run').toBe(runBefore);
    expect(sequence, 'cursors rise').toBeGreaterThan(before);
  }
  for (const [instrument, ids] of trades) {
    expect(new Set(ids).size, `no trade of ${instrument} comes twice`).toBe(ids.length);
    const own = gaps.filter((gap) => gap.instrument === instrument);
    const isAnnounced = (id: number) =>
      own.some(({ firstMissingId, lastMissingId }) => id >= firstMissingId && id <= lastMissingId);
    const first = firstIds.get(instrument) ?? 0;
    const missing = missingIds(ids.filter((id) => id >= first)).filter((id) => !isAnnounced(id));
    expect(missing, `each trade of ${instrument} that did not come is in a gap`).toEqual([]);
  }
  const revisions = new Map<string, number>();
  for (const { instrument, timeframe, openTime, revision } of candles) {
    const key = `${instrument} ${timeframe} ${openTime}`;
    expect(revision, `${key} has a higher revision`).toBeGreaterThan(revisions.get(key) ?? 0);
    revisions.set(key, revision);
  }
}

/** The ids between the lowest and the highest that are not there; of many the first ones. */
function missingIds(ids: readonly number[]): number[] {
  const sorted = [...ids].toSorted((a, b) => a - b);
  return sorted
    .flatMap((id, index) => {
      const before = sorted[index - 1] ?? id - 1;
      return Array.from({ length: Math.min(id - before - 1, 1000) }, (_, n) => before + 1 + n);
    })
    .slice(0, 5000);
}
