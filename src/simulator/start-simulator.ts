import { once } from 'node:events';
import { repeat } from '../base/clock.ts';
import type { Running, Surroundings } from '../base/program.ts';
import { listenError } from '../base/start-error.ts';
import { Broadcast } from './broadcast.ts';
import type { SimulatorConfig } from './config.ts';
import type { Connection } from './connection.ts';
import { ActiveFaults } from './faults/active-faults.ts';
import { openHttpDoor } from './http-door.ts';
import { LineExchange } from './line-exchange.ts';
import { LinePrices } from './line-prices.ts';
import { openRecorder } from './recording.ts';
import { RequestWeight } from './request-weight.ts';
import { SimulatedMarket } from './simulated-market.ts';
import { Subscribers } from './subscribers.ts';
import { openWebSocketDoor } from './websocket-door.ts';

/** A running simulator. WebSockets are taken at the same port. */
export type RunningSimulator = Running & {
  readonly port: number;
  readonly url: string;
  /** Those of exchange1, exchange2, … */
  readonly exchangePorts: readonly number[];
};

/** How often what has become due is sent: below a person's and most clients' notice. */
const periodMs = 10;

/**
 * Starts a simulated Binance, and exchanges that push JSON lines. What they show is a function of
 * the seed, the symbol and the clock: nothing is kept, and another one of the same seed shows the
 * same.
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
  const exchanges = new Map<string, LineExchange>();
  const server = openHttpDoor({
    market,
    broadcast,
    subscribers,
    connections,
    faults,
    exchanges,
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
  for (const [index, wanted] of config.exchangePorts.entries()) {
    const name = `exchange${index + 1}`;
    const { exchangeSymbols: symbols, exchangeRate: perSecond } = config;
    const prices = new LinePrices(market, { exchange: name, symbols, perSecond });
    const where = { name, host: config.host, port: wanted };
    try {
      const now = clock.now();
      const exchange = await LineExchange.open({ ...where, prices, faults, now, logger });
      exchanges.set(name, starting.use(exchange));
    } catch (error) {
      throw listenError(error, { SIMULATOR_HOST: config.host, SIMULATOR_EXCHANGE_PORTS: wanted });
    }
  }
  starting.use(
    repeat(clock, periodMs, () => {
      for (const exchange of exchanges.values()) exchange.sendDue(clock.now());
    }),
  );
  const exchangePorts = [...exchanges.values()].map((exchange) => exchange.port);
  const { seed, recordFile } = config;
  logger.info({ url, exchangePorts, seed, recordFile }, 'Simulating');
  const parts = starting.move();
  return {
    port,
    url,
    exchangePorts,
    ...(recorder === undefined ? {} : { ended: recorder.failed }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}
