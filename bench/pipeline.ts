// From frame bytes to published updates in 16 timeframes, against JSON.parse of the same frames.
import { createBinanceDecoder } from '../src/exchange/binance.ts';
import { Market } from '../src/market/market.ts';
import { busyMarket, instruments } from './support/busy-market.ts';
import { CandleEncoder } from './support/encode-candles.ts';
import { median, report, timeOf } from './support/rounds.ts';

const count = 300_000;
const rounds = 7;
const { start, frames, receivedTimes } = busyMarket(count, 2_700);
const bytes = frames.map((frame) => Buffer.from(frame));

console.log(
  'Pipeline: bytes → text → decode → Market → every candle encoded as its gRPC message, open ones flushed every 100 ms of wall time;',
);
console.log(
  '  baseline: JSON.parse(bytes.toString()) of the same frames; 9 symbols, 300 trades/s each; median of 7 rounds in turn',
);

const parse: number[] = [];
const pipeline: number[] = [];
const encoder = new CandleEncoder();
for (let round = 0; round < rounds; round++) {
  let last: unknown;
  parse.push(
    timeOf(() => {
      for (const frame of bytes) last = JSON.parse(frame.toString());
    }),
  );
  if (typeof last !== 'object') throw new Error('Expected objects');

  const decoder = createBinanceDecoder({ exchange: 'binance' });
  const market = new Market({
    run: start,
    publish: encoder.publish,
  });
  market.handle({ type: 'connectionOpened', connection: '1', instruments, receivedTime: start });
  let nextFlush = performance.now() + 100;
  pipeline.push(
    timeOf(() => {
      for (let index = 0; index < count; index++) {
        const frame = bytes[index];
        const receivedTime = receivedTimes[index] ?? 0;
        const event = frame && decoder.decode(frame.toString(), receivedTime);
        if (event !== undefined) market.handle(event);
        if (index % 64 === 0 && performance.now() >= nextFlush) {
          market.tick(receivedTime);
          nextFlush += 100;
        }
      }
    }),
  );
  if (market.counters.trades !== count) throw new Error('Expected every trade to count');
}
const ratios = pipeline.map((nanoseconds, round) => nanoseconds / (parse[round] ?? Number.NaN));
const perFrame = (nanoseconds: readonly number[]) =>
  (median(nanoseconds) / count / 1000).toFixed(2);
const ratio = median(ratios);
report(
  'at most 2× the cost of JSON.parse',
  `${ratio.toFixed(2)}× (${perFrame(pipeline)} µs a frame against ${perFrame(parse)} µs; ${(encoder.bytes / 1e6 / rounds).toFixed(1)} MB encoded a round)`,
  ratio <= 2,
);
