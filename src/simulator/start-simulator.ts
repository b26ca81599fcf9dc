import { once } from 'node:events';
import type { Running, Surroundings } from '../base/program.ts';
import { listenError } from '../base/start-error.ts';
import { Broadcast } from './broadcast.ts';
import type { SimulatorConfig } from './config.ts';
import type { Connection } from './connection.ts';
import { ActiveFaults } from './faults/active-faults.ts';
import { openHttpDoor } from './http-door.ts';
import { openRecorder } from './recording.ts';
import { RequestWeight } from './request-weight.ts';
import { SimulatedMarket } from './simulated-market.ts';
import { Subscribers } from './subscribers.ts';
import { openWebSocketDoor } from './websocket-door.ts';

/** A running simulator. WebSockets are taken at the same port. */
export type RunningSimulator = Running & { readonly port: number; readonly url: string };

/**
 * Starts a simulated Binance. What it shows is a function of the seed, the symbol and the clock:
 * nothing is kept, and another one of the same seed shows the same.
 * @throws Error when it cannot listen there or cannot write the recording
 */
export async function startSimulator(
  config: SimulatorConfig,
  { clock, logger }: Surroundings,
): Promise<RunningSimulator> {
  await using starting = new AsyncDisposableStack();
  const recorder =
    config.recordFile === undefined
      ? undefined
      : starting.use(await openRecorder(config.recordFile));
  const market = new SimulatedMarket(config.seed);
  const subscribers = new Subscribers();
  const connections = new Set<Connection>();
  const faults = new ActiveFaults(config.seed, clock);
  const broadcast = starting.use(
    new Broadcast({ market, subscribers, recorder, faults }, { clock, logger }),
  );
  const server = openHttpDoor({
    market,
    broadcast,
    subscribers,
    connections,
    faults,
    clock,
    symbols: config.symbols,
    weight: new RequestWeight(config.requestWeight, clock),
    logger,
  });
  starting.defer(async () => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });
  starting.use(openWebSocketDoor(server, { clock, logger, subscribers, faults, connections }));
  server.listen(config.port, config.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, { SIMULATOR_HOST: config.host, SIMULATOR_PORT: config.port });
  }
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : config.port;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = `http://${host}:${port}`;
  logger.info({ url, seed: config.seed, recordFile: config.recordFile }, 'Simulating');
  const parts = starting.move();
  return {
    port,
    url,
    ...(recorder === undefined ? {} : { ended: recorder.failed }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
