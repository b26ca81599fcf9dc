import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { pino } from 'pino';
import { expect, test, vi } from 'vitest';
import { MarketService } from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import { InstrumentDirectory } from '../../../src/rpc/instrument-directory.ts';
import type { Listener, ListenerOptions } from '../../../src/rpc/listener.ts';
import { MarketBroadcast } from '../../../src/rpc/market/market-broadcast.ts';
import { marketService } from '../../../src/rpc/market/market-service.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { aTrade } from '../../support/builders.ts';
import { openCrowdSession } from '../../support/crowd-session.ts';
import { eventually } from '../../support/eventually.ts';
import { MarketTape } from '../../support/market-tape.ts';
import { openTestListener } from '../../support/test-listener.ts';

/** How many come and go: CROWD_SUBSCRIPTIONS=100000 takes half a minute. */
const subscriptions = Number(process.env['CROWD_SUBSCRIPTIONS'] ?? 2_000);
const perRound = 100;
const instruments = Array.from({ length: 10 }, (_, index) => `binance:A${index}USDT`);

/** The market's service behind a real listener. */
async function openCrowdServer(options: Partial<ListenerOptions> = {}) {
  const stack = new AsyncDisposableStack();
  const { market } = new MarketTape();
  const broadcast = stack.use(new MarketBroadcast(market.log, systemClock));
  const parts = {
    market,
    broadcast,
    directory: new InstrumentDirectory(instruments, 'binance'),
    history: undefined,
    whenHistoryRead: () => Promise.resolve(),
    clock: systemClock,
    limitsOf: () => undefined,
    auditOf: () => ({ compared: 0, equal: 0, mended: 0 }),
    statuses: () => [],
  };
  const listener: Listener = stack.use(
    await openTestListener({
      routes: (router) => router.service(MarketService, marketService(parts)),
      ...options,
    }),
  );
  return {
    port: listener.port,
    broadcast,
    readers: () => broadcast.statistics['trades']?.readers,
    publishAll: () => {
      for (const instrument of instruments) broadcast.publish(aTrade({ instrument }));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Bytes that live, in the server and in the clients, which share this process. */
function liveBytes(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect !== 'function') throw new Error('Expected a garbage collector');
  for (let round = 0; round < 3; round++) collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test(
  `nothing is left behind after ${subscriptions} subscriptions came and went`,
  async () => {
    // Node keeps some 4 KiB of a connection that is gone until the idle time is over.
    await using server = await openCrowdServer({ limits: { idleTimeoutMs: 2_000 } });
    const rounds = subscriptions / perRound;
    let warmBytes = 0;
    for (let round = 0; round < rounds; round++) {
      const crowd = openCrowdSession(server.port, instruments, perRound);
      await eventually(() => crowd.reading() === perRound);
      expect(server.readers()).toBe(perRound);
      server.publishAll();
      await setImmediate();
      // They leave in turn by a reset of each stream, of the connection, and politely.
      if (round % 3 === 0) for (const stream of crowd.streams) stream.close();
      else if (round % 3 === 1) crowd.socket.resetAndDestroy();
      else crowd.session.destroy();
      await eventually(() => server.readers() === 0);
      crowd.session.destroy();
      if (round === Math.floor(rounds / 2)) warmBytes = liveBytes();
    }
    await setImmediate();
    // The first half has compiled what there is to compile. A reader costs some 40 KiB.
    expect(liveBytes() - warmBytes).toBeLessThan(2 * 1024 * 1024);
  },
  20_000 + subscriptions * 10,
);

test('the log stays quiet when 1,000 clients vanish at once', async () => {
  const lines: string[] = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  const consoles = (['log', 'warn', 'error'] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation(() => {}),
  );
  const onWarning = (warning: Error) => void lines.push(warning.message);
  process.on('warning', onWarning);
  try {
    await using server = await openCrowdServer({ logger });
    const clients = Array.from({ length: 1_000 }, () =>
      openCrowdSession(server.port, instruments, 1),
    );
    await eventually(() => clients.every(({ reading }) => reading() === 1));
    expect(server.readers()).toBe(1_000);
    server.publishAll();
    for (const { socket } of clients) socket.resetAndDestroy();
    // While they go there is more to write to them.
    await eventually(() => {
      server.publishAll();
      return server.readers() === 0;
    });
    expect(lines).toEqual([]);
    for (const calls of consoles) expect(calls).not.toHaveBeenCalled();
  } finally {
    process.off('warning', onWarning);
    for (const spy of consoles) spy.mockRestore();
  }
});
