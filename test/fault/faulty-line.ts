import { pino } from 'pino';
import { expect, onTestFinished } from 'vitest';
import { FeedState } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { Instrument } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import type { Clock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openServerClient } from '../../src/rpc/client.ts';
import type { MarketClient } from '../../src/rpc/client.ts';
import { readServerConfig } from '../../src/server/config.ts';
import { startServer } from '../../src/server/start-server.ts';
import type { RunningServer } from '../../src/server/start-server.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import { eventually } from '../support/eventually.ts';
import { fastClock } from '../support/fast-clock.ts';
import { openCountingProxy } from './counting-proxy.ts';
import type { CountingProxy } from './counting-proxy.ts';
import { FollowedStreams } from './followed-streams.ts';

/** Ten seconds into a minute, where the days are over that the exchange's history begins with. */
export const start = Date.UTC(2027, 2, 3, 10, 20, 10) * 1000;

export type FaultyLineOptions = {
  readonly symbols?: readonly string[];
  /** Seconds of the market a second. */
  readonly speed?: number;
  /** How far the server's clock is from the exchange's. */
  readonly serverAheadMs?: number;
  readonly environment?: Readonly<Record<string, string>>;
};

/** Exchange → server → client. */
export type FaultyLine = {
  readonly symbols: readonly string[];
  /** The exchange's. */
  readonly clock: Clock;
  readonly simulatorUrl: string;
  readonly server: RunningServer;
  readonly client: MarketClient;
  readonly streams: FollowedStreams;
  readonly proxy: CountingProxy;
  /** The server's warnings and errors. */
  readonly log: readonly string[];
  /** Tells the simulator to do something. */
  control(action: string, fields?: Readonly<Record<string, unknown>>): Promise<void>;
  /** How often faults of a kind have acted. */
  acted(action: string): Promise<number>;
  /** Waits until so much of the market's time has passed. */
  passed(ms: number): Promise<void>;
  /** Waits until so many WebSockets have been asked for since the start. */
  connected(count: number): Promise<void>;
  status(symbol: string): Promise<Instrument>;
  /** Waits until ListInstruments tells this state of a symbol, with its reason. */
  tells(symbol: string, state: keyof typeof FeedState, reason?: RegExp): Promise<void>;
  /** Waits until all instruments are delivered and none lacks a trade. */
  isWell(): Promise<void>;
  /** The sum of a metric's values. */
  metric(name: string): Promise<number>;
};

/** Starts a simulated exchange and a server that follows it; both end with the test. */
export async function aFaultyLine(options: FaultyLineOptions = {}): Promise<FaultyLine> {
  const { symbols = ['BTCUSDT', 'LTCBTC'], speed = 25, serverAheadMs = 0 } = options;
  const stack = new AsyncDisposableStack();
  onTestFinished(() => stack.disposeAsync());
  const clock = fastClock(start, speed);
  const simulator = stack.use(
    await startSimulator(
      readSimulatorConfig({ SIMULATOR_PORT: '0', SIMULATOR_REQUEST_WEIGHT: '1000000000' }, {}),
      { clock, logger: silentLogger },
    ),
  );
  const proxy = stack.use(await openCountingProxy(simulator.port));
  const log: string[] = [];
  const server = stack.use(
    await startServer(
      readServerConfig({
        MODE: 'TEST',
        PORT: '0',
        SIMULATOR_URL: `http://127.0.0.1:${proxy.port}`,
        BINANCE_SYMBOLS: symbols.join(' '),
        HISTORY_CANDLES: '0',
        SHUTDOWN_GRACE_MS: '1000',
        // Milliseconds of a clock that is fast: an answer takes as long as ever.
        REST_TIMEOUT_MS: '600000',
        ...options.environment,
      }),
      {
        clock: ahead(clock, serverAheadMs),
        logger: pino({ level: 'warn' }, { write: (line) => void log.push(line) }),
      },
    ),
  );
  const { market: client } = stack.use(openServerClient(server.url, { clock: systemClock }));
  const instruments = symbols.map((symbol) => `sim-binance:${symbol}`);
  const streams = stack.use(new FollowedStreams(client, instruments));
  const status = async (symbol: string) => {
    const { instruments } = await client.listInstruments({});
    const found = instruments.find((instrument) => instrument.symbol === symbol);
    if (found === undefined) throw new Error(`${symbol} is not listed`);
    return found;
  };
  const isWell = () =>
    eventually(async () => {
      expect(streams.snapshots).toBe(2);
      for (const symbol of symbols) {
        const { state, reason } = await status(symbol);
        expect([FeedState.LIVE, FeedState.QUIET], `${symbol}: ${reason}`).toContain(state);
        expect(streams.closedUntil(symbol), symbol).toBeGreaterThan(start);
      }
    }, 40_000);
  await isWell();
  // What was found while the history was read is over.
  streams.gaps.length = 0;
  for (const symbol of symbols) {
    const path = `/api/v3/aggTrades?symbol=${symbol}&limit=1`;
    const [last] = (await (await fetch(simulator.url + path)).json()) as readonly { a: number }[];
    streams.begin(symbol, last?.a ?? 0);
  }
  return {
    symbols,
    clock,
    simulatorUrl: simulator.url,
    server,
    client,
    streams,
    proxy,
    log,
    control: async (action, fields = {}) => {
      const body = JSON.stringify({ action, ...fields });
      const response = await fetch(`${simulator.url}/control`, { method: 'POST', body });
      if (!response.ok) throw new Error(`${body}: ${await response.text()}`);
    },
    acted: async (action) => {
      const response = await fetch(`${simulator.url}/control`);
      const { acted } = (await response.json()) as { acted: Record<string, number> };
      return acted[action] ?? 0;
    },
    passed: (ms) => {
      const end = clock.now() + ms * 1000;
      return eventually(() => clock.now() >= end, 60_000);
    },
    connected: (count) =>
      eventually(() => expect(proxy.connects).toBeGreaterThanOrEqual(count), 60_000),
    status,
    tells: (symbol, state, reason = /^/u) =>
      eventually(async () => {
        const told = await status(symbol);
        const name = Object.entries(FeedState).find(([, value]) => value === told.state)?.[0];
        expect([name, told.reason]).toEqual([state, expect.stringMatching(reason)]);
      }),
    isWell,
    metric: async (name) => {
      const text = await (await fetch(`${server.url}/metrics`)).text();
      const lines = text.split('\n').filter((line) => line.replace(/[ {].*/u, '') === name);
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
  };
}

/** A clock that is `ms` ahead of another one, and runs with it. */
function ahead(clock: Clock, ms: number): Clock {
  return { ...clock, now: () => clock.now() + ms * 1000 };
}
