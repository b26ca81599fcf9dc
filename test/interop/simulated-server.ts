import { systemClock } from '../../src/base/clock.ts';
import type { Clock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { readServerConfig } from '../../src/server/config.ts';
import { startServer } from '../../src/server/start-server.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';

export interface SimulatedServer extends AsyncDisposable {
  /** Where the server answers: "http://127.0.0.1:40001". */
  readonly url: string;
  /** The same without the scheme, as gRPC clients want it. */
  readonly address: string;
  /** Where the simulator answers as Binance's REST does. */
  readonly simulatorUrl: string;
  /**
   * Sends these Binance payloads in place of the symbol's random market.
   * @returns how many of them went out to a subscriber
   */
  inject(symbol: string, frames: readonly object[]): Promise<number>;
}

/** Starts a simulator and a server that follows it, both on free ports. */
export async function openSimulatedServer(
  environment: Readonly<Record<string, string>> = {},
  clock: Clock = systemClock,
): Promise<SimulatedServer> {
  await using stack = new AsyncDisposableStack();
  const surroundings = { clock, logger: silentLogger };
  const simulator = stack.use(
    await startSimulator(readSimulatorConfig({ SIMULATOR_PORT: '0' }, {}), surroundings),
  );
  const config = readServerConfig({
    PORT: '0',
    MODE: 'TEST',
    SIMULATOR_URL: simulator.url,
    BINANCE_SYMBOLS: 'BTCUSDT ETHUSDT',
    // Nothing that a test leaves open is worth waiting for.
    SHUTDOWN_GRACE_MS: '100',
    ...environment,
  });
  const server = stack.use(await startServer(config, surroundings));
  const owned = stack.move();
  return {
    url: server.url,
    address: `127.0.0.1:${server.port}`,
    simulatorUrl: simulator.url,
    inject: async (symbol, frames) => {
      const body = JSON.stringify({ action: 'inject', symbol, frames });
      const answer = await fetch(`${simulator.url}/control`, { method: 'POST', body });
      if (!answer.ok) throw new Error(`inject: ${answer.status} ${await answer.text()}`);
      return ((await answer.json()) as { delivered: number }).delivered;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
