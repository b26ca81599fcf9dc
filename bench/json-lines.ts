// MarketFlow's exchanges at full load: the cost of an update, and three TCP feeds at once.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { JsonLinesDecoder, jsonLinesSymbols } from '../src/exchange/json-lines.ts';
import { openTcpFeed } from '../src/exchange/json-lines/tcp-feed.ts';
import { LineSplitter } from '../src/exchange/json-lines/tcp-lines.ts';
import { Market } from '../src/market/market.ts';
import { LinePrices, priceLine } from '../src/simulator/line-prices.ts';
import { SimulatedMarket } from '../src/simulator/simulated-market.ts';
import { startChildProgram } from './support/child-program.ts';
import { CandleEncoder } from './support/encode-candles.ts';
import { cpuMicros } from './support/process-cost.ts';
import { median, report, timeOf } from './support/rounds.ts';

const perSecond = 16_667;
const seconds = 10;
const exchanges = ['exchange1', 'exchange2', 'exchange3'];

// In this order: what the first one leaves in memory is none of the feeds'.
await threeFeeds();
costOfAnUpdate();

/** The simulator in a process of its own, and what its three exchanges push followed here. */
async function threeFeeds(): Promise<void> {
  console.log(
    `JSON lines: the simulator's three exchanges at ${perSecond} updates/s each → three TCP feeds → one Market → every candle encoded as its gRPC message, open ones flushed every 100 ms, for ${seconds} s`,
  );
  await using simulator = await startChildProgram('simulator', {
    SIMULATOR_PORT: '0',
    SIMULATOR_EXCHANGE_RATE: String(perSecond),
  });
  const control = `${await simulator.url}/control`;
  const ask = async (body: object) =>
    void (await fetch(control, { method: 'POST', body: JSON.stringify(body) }));
  const states = async () => {
    const answer = (await (await fetch(control)).json()) as {
      readonly exchanges: Readonly<
        Record<string, { readonly port: number; readonly sent: number }>
      >;
    };
    return exchanges.map((name) => answer.exchanges[name] ?? { port: 0, sent: 0 });
  };

  const encoder = new CandleEncoder();
  const market = new Market({ run: systemClock.now(), publish: encoder.publish });
  await using stack = new AsyncDisposableStack();
  const counted = new Map<string, number>();
  const feeds = (await states()).map(({ port }, index) => {
    const exchangeName = exchanges[index] ?? '';
    counted.set(exchangeName, 0);
    return stack.use(
      openTcpFeed({
        exchangeName,
        address: { host: '127.0.0.1', port },
        symbols: jsonLinesSymbols,
        handle: (event) => {
          market.handle(event);
          if (event.type === 'trade')
            counted.set(exchangeName, (counted.get(exchangeName) ?? 0) + 1);
        },
        clock: systemClock,
        logger: silentLogger,
        random: Math.random,
      }),
    );
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 100);
  const flush = setInterval(() => market.tick(systemClock.now()), 100);
  const cpu = cpuMicros();
  const begin = performance.now();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const cores = (cpuMicros() - cpu) / 1000 / (performance.now() - begin);
  delay.disable();

  for (const exchange of exchanges) await ask({ action: 'stall', exchange });
  // What was sent before is on the way: it has come when nothing more comes.
  for (let last = -1; last !== market.counters.trades;) {
    last = market.counters.trades;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  clearInterval(watch);
  clearInterval(flush);
  const sent = (await states()).map((state) => state.sent);
  const total = sent.reduce((sum, each) => sum + each, 0);
  for (const [index, exchange] of exchanges.entries()) {
    const wasCounted = counted.get(exchange) ?? 0;
    const { badFrames } = feeds[index]?.status().counters ?? { badFrames: {} };
    const isEqual =
      wasCounted === sent[index] && Object.values(badFrames).every((bad) => bad === 0);
    report(
      `${exchange}: sent equals counted`,
      `${sent[index]} sent, ${wasCounted} counted`,
      isEqual,
    );
  }
  report(
    'all updates are in the candles, at 50,000 updates/s',
    `${market.counters.trades} of ${total}, ${Math.round(total / seconds / 1000)} k/s, on ${Math.round(cores * 100)} % of a core`,
    market.counters.trades === total && total >= 0.95 * 3 * perSecond * seconds,
  );
  const p99 = delay.percentile(99) / 1e6;
  report('event loop p99 at most 20 ms', `${p99.toFixed(1)} ms`, p99 <= 20);
  report(
    'peak memory at most 300 MiB',
    `${Math.round(peak / 1024 / 1024)} MiB`,
    peak <= 300 * 1024 * 1024,
  );
}

/** In chunks of 64 KiB, as a socket delivers them, against nothing but splitting and parsing. */
function costOfAnUpdate(): void {
  const count = 300_000;
  console.log('JSON lines: bytes in chunks of 64 KiB → lines → decode → Market;');
  console.log(
    `  baseline: text.split('\\n') and JSON.parse of the same lines; 5 symbols, ${perSecond} updates/s; median of 7 rounds of ${count} in turn`,
  );
  const market = new SimulatedMarket('bench');
  const source = { exchange: 'exchange1', symbols: jsonLinesSymbols, perSecond };
  const prices = new LinePrices(market, source);
  const first = prices.updatesBefore(Date.UTC(2026, 0, 1, 12) * 1000);
  const updates = Array.from({ length: count }, (_, index) => prices.update(first + index));
  const bytes = Buffer.from(
    updates
      .map(({ symbol, price, time }) => priceLine(symbol, price, Math.floor(time / 1000)))
      .join(''),
  );
  const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, index) =>
    bytes.subarray(index * 65_536, (index + 1) * 65_536),
  );
  const rounds = Array.from({ length: 7 }, () => {
    const baseline = timeOf(() => parseOnly(chunks));
    const whole = timeOf(() => decodeAll(chunks, updates[0]?.time ?? 0, count));
    return { baseline, whole };
  });
  const ratio = median(rounds.map(({ baseline, whole }) => whole / baseline));
  const each = (values: readonly number[]) => (median(values) / count / 1000).toFixed(2);
  report(
    'at most 2× the cost of splitting and parsing alone',
    `${ratio.toFixed(2)}× (${each(rounds.map(({ whole }) => whole))} µs an update against ${each(rounds.map(({ baseline }) => baseline))} µs)`,
    ratio <= 2,
  );
}

function parseOnly(chunks: readonly Buffer[]): void {
  let rest = '';
  let last: unknown;
  for (const chunk of chunks) {
    const lines = (rest + chunk.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) last = JSON.parse(line);
  }
  if (typeof last !== 'object') throw new Error('Expected objects');
}

function decodeAll(chunks: readonly Buffer[], start: number, count: number): void {
  const market = new Market({ run: start, publish: () => {} });
  const decoder = new JsonLinesDecoder({
    exchange: 'exchange1',
    symbols: jsonLinesSymbols,
    maximumAheadMs: 60_000,
    maximumBehindMs: 600_000,
    onBadFrame: ({ problem }) => {
      throw new Error(problem);
    },
  });
  const { instruments } = decoder;
  market.handle({ type: 'connectionOpened', connection: '1', instruments, receivedTime: start });
  let receivedTime = start;
  const splitter = new LineSplitter(65_536, {
    line: (line) => {
      const trade = decoder.decode(line, receivedTime);
      if (trade === undefined) return;
      receivedTime = Math.max(receivedTime, trade.exchangeTime);
      market.handle(trade);
    },
    notText: () => {},
  });
  for (const chunk of chunks) splitter.take(chunk);
  if (market.counters.trades !== count) throw new Error('Expected every update to count');
}
