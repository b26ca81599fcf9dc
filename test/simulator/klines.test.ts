import { describe, expect, test } from 'vitest';
import { timeframes } from '../../src/domain/timeframe.ts';
import { epoch } from '../../src/simulator/symbol-time.ts';
import { aSimulator, noon } from './a-simulator.ts';
import type { SimulatorTwin } from './a-simulator.ts';

type AggTrade = {
  readonly a: number;
  readonly p: string;
  readonly q: string;
  readonly f: number;
  readonly l: number;
  readonly T: number;
  readonly m: boolean;
};
type Row = readonly [number, ...(string | number)[]];

/** The test's own reckoning: decimals as counts of 10^-9, products of 10^-18. */
function scaled(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(9, '0'));
}

function product(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(18, '0'));
}

function foldTrades(trades: readonly AggTrade[]) {
  let [high, low] = [scaled(trades[0]?.p ?? '0'), scaled(trades[0]?.p ?? '0')];
  let [volume, quote, bought, boughtQuote, count] = [0n, 0n, 0n, 0n, 0];
  for (const { p, q, f, l, m } of trades) {
    const [price, quantity] = [scaled(p), scaled(q)];
    if (price > high) high = price;
    if (price < low) low = price;
    volume += quantity;
    quote += price * quantity;
    count += l - f + 1;
    if (m) continue;
    bought += quantity;
    boughtQuote += price * quantity;
  }
  return { high, low, volume, quote, bought, boughtQuote, count };
}

function foldOf(row: Row) {
  const [, , high, low, , volume, , quote, count, bought, boughtQuote] = row.map(String);
  return {
    high: scaled(high ?? ''),
    low: scaled(low ?? ''),
    volume: scaled(volume ?? ''),
    quote: product(quote ?? ''),
    bought: scaled(bought ?? ''),
    boughtQuote: product(boughtQuote ?? ''),
    count: Number(count),
  };
}

async function allTrades(
  { get }: SimulatorTwin,
  symbol: string,
  from: number,
  to: number,
): Promise<AggTrade[]> {
  const trades: AggTrade[] = [];
  const first = await get<AggTrade[]>(
    `/api/v3/aggTrades?symbol=${symbol}&startTime=${from}&limit=1`,
  );
  let next = first.body[0]?.a;
  while (next !== undefined) {
    const path: string = `/api/v3/aggTrades?symbol=${symbol}&fromId=${next}&limit=1000`;
    const { body } = await get<AggTrade[]>(path);
    trades.push(...body.filter(({ T }) => T < to));
    const last = body.at(-1);
    next = last === undefined || last.T >= to ? undefined : last.a + 1;
  }
  return trades;
}

const klinesPath = (symbol: string, interval: string, rest = '') =>
  `/api/v3/klines?symbol=${symbol}&interval=${interval}${rest}`;

describe('a kline is what its trades add up to', () => {
  test.each([
    ['BTCUSDT', '1s', 40],
    ['BTCUSDT', '1m', 4],
    ['PEPEUSDT', '1s', 40],
    ['PEPEUSDT', '5m', 2],
    ['ETHBTC', '1h', 2],
    ['LTCBTC', '1s', 300],
    ['LTCBTC', '1m', 60],
    ['LTCBTC', '12h', 2],
    ['LTCBTC', '1d', 2],
  ])('%s %s', async (symbol, interval, limit) => {
    const twin = await aSimulator();
    const { body: rows } = await twin.get<Row[]>(klinesPath(symbol, interval, `&limit=${limit}`));
    expect(rows).toHaveLength(limit);
    let close: string | number | undefined;
    for (const [index, row] of rows.entries()) {
      const end = rows[index + 1]?.[0] ?? noon / 1000 + 1;
      const trades = await allTrades(twin, symbol, row[0], end);
      if (trades.length === 0) {
        if (close === undefined) continue;
        const nothing = '0.00000000';
        expect(row.slice(1, 6)).toEqual([close, close, close, close, nothing]);
        expect(row.slice(7)).toEqual([nothing, 0, nothing, nothing, '0']);
      } else {
        expect(row[1]).toBe(trades[0]?.p);
        expect(row[4]).toBe(trades.at(-1)?.p);
        expect(foldOf(row)).toEqual(foldTrades(trades));
      }
      close = row[4];
    }
  });
});

test('seconds and minutes without a trade stand flat at the last price', async () => {
  const { get } = await aSimulator();
  for (const interval of ['1s', '1m']) {
    const { body } = await get<Row[]>(klinesPath('LTCBTC', interval, '&limit=500'));
    const flat = body.filter((row) => row[8] === 0);
    expect(flat.length).toBeGreaterThan(20);
    for (const row of flat) expect(new Set(row.slice(1, 5)).size).toBe(1);
  }
});

const day = 86_400_000;
const minute = 60_000;
/** How each timeframe's candles follow each other, in the test's own words. */
const isBegin: Readonly<Record<string, (time: number, date: Date) => boolean>> = {
  '1s': (time) => time % 1000 === 0,
  '1m': (time) => time % minute === 0,
  '3m': (time) => time % (3 * minute) === 0,
  '5m': (time) => time % (5 * minute) === 0,
  '15m': (time) => time % (15 * minute) === 0,
  '30m': (time) => time % (30 * minute) === 0,
  '1h': (time) => time % (60 * minute) === 0,
  '2h': (time) => time % (120 * minute) === 0,
  '4h': (time) => time % (240 * minute) === 0,
  '6h': (time) => time % (360 * minute) === 0,
  '8h': (time) => time % (480 * minute) === 0,
  '12h': (time) => time % (720 * minute) === 0,
  '1d': (time) => time % day === 0,
  '3d': (time) => time % (3 * day) === 0,
  '1w': (time, date) => time % day === 0 && date.getUTCDay() === 1,
  '1M': (time, date) => time % day === 0 && date.getUTCDate() === 1,
};

test.each(timeframes)(
  '%s klines follow each other at its boundaries, up to now',
  async (interval) => {
    const { get } = await aSimulator();
    const { body } = await get<Row[]>(klinesPath('TONUSDT', interval, '&limit=20'));
    expect(body).toHaveLength(20);
    for (const [index, row] of body.entries()) {
      expect(isBegin[interval]?.(row[0], new Date(row[0]))).toBe(true);
      const next = body[index + 1];
      if (next !== undefined) expect(row[6]).toBe(next[0] - 1);
      else expect(Number(row[6])).toBeGreaterThanOrEqual(noon / 1000);
      if (next !== undefined) expect(row[0]).toBeLessThan(next[0]);
    }
    expect(body.at(-1)?.[0]).toBeLessThanOrEqual(noon / 1000);
  },
);

test('klines of every timeframe hold the same trades', async () => {
  const { get } = await aSimulator();
  const volumes = await Promise.all(
    ['1d', '3d', '1w', '1M'].map(async (interval) => {
      const path = klinesPath('ETHBTC', interval, `&startTime=0&limit=1000`);
      const { body } = await get<Row[]>(path);
      expect(body.length).toBeGreaterThan(20);
      return body.reduce((sum, row) => sum + foldOf(row).quote, 0n);
    }),
  );
  expect(new Set(volumes).size).toBe(1);
});

test('the first kline is the one of the first trade', async () => {
  const { get } = await aSimulator();
  const { body } = await get<Row[]>(klinesPath('BTCUSDT', '1h', '&startTime=0&limit=3'));
  expect(body.map(([time]) => time)).toEqual([0, 1, 2].map((hour) => epoch / 1000 + hour * 3.6e6));
  const { body: before } = await get(klinesPath('BTCUSDT', '1h', `&endTime=${epoch / 1000 - 1}`));
  expect(before).toEqual([]);
});

test('a start gives the first klines from there, an end the last ones up to there', async () => {
  const { get } = await aSimulator();
  const base = Date.UTC(2026, 5, 1);
  const times = async (rest: string) => {
    const { body } = await get<Row[]>(klinesPath('BNBUSDT', '1m', rest));
    return body.map(([time]) => (time - base) / minute);
  };
  expect(await times(`&startTime=${base + 1}&limit=3`)).toEqual([1, 2, 3]);
  expect(await times(`&startTime=${base}&limit=2`)).toEqual([0, 1]);
  expect(await times(`&endTime=${base + 2 * minute}&limit=2`)).toEqual([1, 2]);
  const range = `&startTime=${base}&endTime=${base + 3 * minute - 1}`;
  expect(await times(range)).toEqual([0, 1, 2]);
  // Microseconds are taken as well.
  expect(await times(`&startTime=${base * 1000}&limit=1`)).toEqual([0]);
});

test('times are microseconds for those who ask for them', async () => {
  const { get } = await aSimulator();
  const headers = { 'X-MBX-TIME-UNIT': 'MICROSECOND' };
  const { body } = await get<Row[]>(klinesPath('BTCUSDT', '1m', '&limit=2'), headers);
  expect(body[0]?.[6]).toBe(Number(body[1]?.[0]) - 1);
  expect(body[1]?.[0]).toBe(Math.floor(noon / 60_000_000) * 60_000_000);
});
