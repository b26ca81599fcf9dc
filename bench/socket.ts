// The same frames over a real socket: the server's feed and market against a client that only parses.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { binance } from '../src/exchange/binance.ts';
import { openFeed } from '../src/exchange/feed.ts';
import { Market } from '../src/market/market.ts';
import { busyMarket, symbols } from './support/busy-market.ts';
import { CandleEncoder } from './support/encode-candles.ts';
import { median, report } from './support/rounds.ts';

const count = 200_000;
const rounds = 7;
const { start } = busyMarket(0, 1);
const source = fork(`${import.meta.dirname}/support/frame-source.ts`, [String(count)]);
const [port] = (await once(source, 'message')) as [number];

console.log(
  'Socket: frames over loopback from another process → feed → Market → every candle encoded as its gRPC message, open ones flushed every 100 ms;',
);
console.log(
  `  baseline: a ws client that calls JSON.parse on each; ${count} frames, median of ${rounds} rounds in turn`,
);

/** Frames a second. */
async function parseOnly(): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/stream`, { perMessageDeflate: false });
  let frames = 0;
  let first = 0;
  await new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      first ||= performance.now();
      JSON.parse(data.toString());
      if (++frames === count) resolve();
    });
  });
  const seconds = (performance.now() - first) / 1000;
  socket.terminate();
  return count / seconds;
}

/** Trades a second. */
async function wholeWay(): Promise<number> {
  // The frames tell of one noon, so this clock starts there.
  const offset = start - systemClock.now();
  const clock = { ...systemClock, now: () => systemClock.now() + offset };
  const market = new Market({
    run: start,
    limits: { clockToleranceMs: 3_600_000 },
    publish: new CandleEncoder().publish,
  });
  const timer = setInterval(() => market.tick(clock.now()), 100);
  let trades = 0;
  let first = 0;
  const { promise, resolve } = Promise.withResolvers<void>();
  const feed = openFeed({
    exchange: binance,
    exchangeName: 'binance',
    symbols,
    handle: (event) => {
      market.handle(event);
      if (event.type !== 'trade') return;
      first ||= performance.now();
      if (++trades === count) resolve();
    },
    clock,
    logger: silentLogger,
    random: Math.random,
    settings: {
      webSocketBaseUrl: `ws://127.0.0.1:${port}`,
      restBaseUrl: `http://127.0.0.1:${port}`,
    },
  });
  await promise;
  const seconds = (performance.now() - first) / 1000;
  clearInterval(timer);
  await feed[Symbol.asyncDispose]();
  if (market.counters.trades !== count) throw new Error('Expected every trade to count');
  return count / seconds;
}

const baseline: number[] = [];
const whole: number[] = [];
for (let round = 0; round < rounds; round++) {
  baseline.push(await parseOnly());
  whole.push(await wholeWay());
}
source.disconnect();
const ratio = median(whole.map((rate, round) => rate / (baseline[round] ?? Number.NaN)));
report(
  'at least 80 % of the rate of a client that only parses',
  `${Math.round(ratio * 100)} % (${Math.round(median(whole) / 1000)} k frames/s against ${Math.round(median(baseline) / 1000)} k)`,
  ratio >= 0.8,
);
