import { expect, test } from 'vitest';
import { anAggTradePayload } from '../support/binance-frames.ts';
import { eventually } from '../support/eventually.ts';
import { TwinClock } from '../support/twin-clock.ts';
import { GrpcJsClient } from './grpc-js-client.ts';
import type { PlainMessage } from './grpc-js-client.ts';
import { loadProtos } from './load-protos.ts';
import { openSimulatedServer } from './simulated-server.ts';

const symbol = 'BTCUSDT';
/** The minute that is watched, in milliseconds. */
const minute = Date.UTC(2026, 0, 5, 12);

test('clients of the chart service of old all get each minute once it is over', async () => {
  // The minute passes on a clock that both the simulator and the server go by.
  const clock = new TwinClock((minute - 2_000) * 1000);
  await using server = await openSimulatedServer({ BINANCE_SYMBOLS: symbol }, clock);
  const contract = loadProtos('chart-service/aggregator.proto');
  using client = new GrpcJsClient(server.address, contract, 'aggregator.AggregatorService');
  const received = [listen(client), listen(client)];

  // The random market is paused as soon as the server listens to it; our trades take its place.
  await eventually(async () => (await server.inject(symbol, [aTicker])) > 0);
  const id = (await lastTradeId(server.simulatorUrl)) + 1;
  await clock.advance(4_000, 100);
  await server.inject(symbol, [
    anAggTrade({ a: id, T: minute + 250, p: '100.5', q: '2' }),
    anAggTrade({ a: id + 1, T: minute + 500, p: '101.125', q: '0.5' }),
    anAggTrade({ a: id + 2, T: minute + 750, p: '99.25', q: '0.25' }),
    anAggTrade({ a: id + 3, T: minute + 1_000, p: '100', q: '1' }),
  ]);
  await clock.advance(30_000, 100);
  await server.inject(symbol, [aTicker]);
  await clock.advance(30_000, 100);
  await server.inject(symbol, [anAggTrade({ a: id + 4, T: minute + 61_000 })]);

  for (const candles of received) {
    await eventually(() => expect(candles.has(minute)).toBe(true));
    expect(candles.get(minute)).toMatchObject({
      symbol,
      open: 100.5,
      high: 101.125,
      low: 99.25,
      close: 100,
      volume: 3.75,
    });
  }
});

/** The candles of a new stream by their minute, as they come. */
function listen(client: GrpcJsClient): ReadonlyMap<number, PlainMessage> {
  const candles = new Map<number, PlainMessage>();
  client
    .stream('StreamCandlesticks', {})
    .on('data', (candle: PlainMessage) => {
      const { seconds } = candle['timestamp'] as { seconds: string };
      candles.set(Number(seconds) * 1000, candle);
    })
    // The end of the server is the end of the stream, too.
    .on('error', () => {});
  return candles;
}

/** A print of one trade that is sent as it happens. */
function anAggTrade(fields: { a: number; T: number; p?: string; q?: string }): object {
  return anAggTradePayload({ f: fields.a, l: fields.a, E: fields.T, s: symbol, ...fields });
}

const aTicker = { u: 1, s: symbol, b: '99', B: '1', a: '101', A: '1' };

async function lastTradeId(simulatorUrl: string): Promise<number> {
  const answer = await fetch(`${simulatorUrl}/api/v3/aggTrades?symbol=${symbol}&limit=1`);
  const [trade] = (await answer.json()) as { a: number }[];
  if (trade === undefined) throw new Error('The simulator has no trades');
  return trade.a;
}
