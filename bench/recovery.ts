// A day of trades of a busy symbol that was missed: what mending it costs us, against what the
// exchange lets us ask for.
import { systemClock } from '../src/base/clock.ts';
import { binance } from '../src/exchange/binance.ts';
import { createBinanceHistory } from '../src/exchange/binance/history.ts';
import { fillGap } from '../src/exchange/fill-gap.ts';
import type { ExchangeRest } from '../src/exchange/exchange.ts';
import type { RestClient } from '../src/exchange/rest-client.ts';
import { Market } from '../src/market/market.ts';
import { generateFrames } from '../src/simulator/recording.ts';
import { report } from './support/rounds.ts';

const instrument = 'sim-binance:BTCUSDT';
const pageSize = 1000;
const weightPerMinute = 3000;
const from = Date.UTC(2026, 0, 1) * 1000;
const to = from + 86_400_000_000;

const rows: string[] = [];
let firstId = 0;
let lastTime = 0;
for (const { payload } of generateFrames({
  seed: 'bench',
  streams: ['btcusdt@aggTrade'],
  from,
  to,
})) {
  const {
    e: _e,
    E: _E,
    s: _s,
    ...row
  } = JSON.parse(payload) as { a: number; T: number; e: string; E: number; s: string };
  if (rows.length === 0) firstId = row.a;
  lastTime = row.T * 1000;
  rows.push(JSON.stringify(row));
}
const lastId = firstId + rows.length - 1;

// The answers of the exchange as it would send them: text that is parsed and read by the adapter.
let asked = 0;
const client = {
  clock: systemClock,
  get: ({ path }: { path: string }) => {
    asked++;
    const start = Number(/fromId=(\d+)/u.exec(path)?.[1]) - firstId;
    const body: unknown = JSON.parse(`[${rows.slice(start, start + pageSize).join(',')}]`);
    return Promise.resolve({ body, askedTime: systemClock.now() });
  },
} as unknown as RestClient;
const options = {
  client,
  exchange: 'sim-binance',
  timeUnit: 'millisecond',
  maximumAheadMs: 600_000,
  ownSymbol: (symbol: string) => symbol,
} as const;
const rest = { ...createBinanceHistory(options), facts: binance.facts } as ExchangeRest;

const limits = { secondsRetentionMs: 7 * 86_400_000 };
const market = new Market({ run: from, limits, publish: () => {} });
const receivedTime = from;
market.handle({
  type: 'connectionOpened',
  connection: '1',
  instruments: [instrument],
  receivedTime,
});
const edge = (id: number, time: number) => ({
  type: 'trade' as const,
  instrument,
  id,
  price: 66_000n * 10n ** 18n,
  quantity: 10n ** 16n,
  takerSide: 'buy' as const,
  exchangeTime: time,
  eventTime: time,
  receivedTime: time,
  firstTradeId: 1,
  lastTradeId: 1,
});
market.handle(edge(firstId - 1, from - 1_000_000));
market.handle(edge(lastId + 1, lastTime + 1_000_000));

console.log(
  `Recovery: a gap of ${rows.length.toLocaleString('en')} trades, a day of the simulated BTCUSDT, filled page by page into 16 timeframes;`,
);
console.log(
  `  baseline: the exchange's weight, 4 a page of 1,000, of which we use ${weightPerMinute} a minute`,
);
const gap = {
  type: 'gap',
  instrument,
  firstMissingId: firstId,
  lastMissingId: lastId,
  fromTime: from,
  toTime: lastTime,
  state: 'open',
} as const;
const start = process.cpuUsage();
await fillGap(
  {
    rest,
    stored: undefined,
    handle: (event) => market.handle(event),
    clock: systemClock,
    exchangeTime: () => to,
    bounds: { historyCandles: 0, horizonMs: 0, tradesHorizonMs: 0 },
  },
  gap,
  new AbortController().signal,
);
const { user, system } = process.cpuUsage(start);
if (market.counters.recoveredTrades !== rows.length) throw new Error('Expected every trade back');
const seconds = (user + system) / 1e6;
const allowed = ((asked * 4) / weightPerMinute) * 60;
report(
  'bound by the exchange’s weight, not by us',
  `${seconds.toFixed(1)} s of CPU for ${asked.toLocaleString('en')} pages, which may be asked for in ${allowed.toFixed(0)} s`,
  seconds < allowed / 2,
);
