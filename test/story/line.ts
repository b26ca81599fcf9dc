import type { Clock, Micros } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { startPersistor } from '../../src/persistor/start-persistor.ts';
import { readPersistorConfig } from '../../src/persistor/config.ts';
import { readServerConfig } from '../../src/server/config.ts';
import { startServer } from '../../src/server/start-server.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';

export const seed = 'story';
/** Milliseconds of a clock that is fast: what others work on takes as long as ever. */
const patience = '600000';

/** Exchange → server → persistor → Postgres, of which each can be stopped and started again. */
export class Line implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #symbols: readonly string[];
  readonly #databaseUrl: string;
  readonly #running = new Map<string, AsyncDisposable>();
  #simulatorUrl = '';
  #simulatorPort = 0;
  #exchangePorts: readonly number[] = [0, 0, 0];
  #serverPort = 0;

  constructor(clock: Clock, symbols: readonly string[], databaseUrl: string) {
    this.#clock = clock;
    this.#symbols = symbols;
    this.#databaseUrl = databaseUrl;
  }

  get serverUrl(): string {
    return `http://127.0.0.1:${this.#serverPort}`;
  }

  /** Where the simulated exchanges of JSON lines are, once the simulator runs. */
  get exchangePorts(): readonly number[] {
    return this.#exchangePorts;
  }

  async startSimulator(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const config = readSimulatorConfig(
      {
        SIMULATOR_PORT: String(this.#simulatorPort),
        SIMULATOR_EXCHANGE_PORTS: this.#exchangePorts.join(' '),
        SIMULATOR_SEED: seed,
        SIMULATOR_REQUEST_WEIGHT: '100000000',
        ...environment,
      },
      {},
    );
    const simulator = await startSimulator(config, this.#surroundings);
    // The same port after a restart, here as below, so that those who look for it find it again.
    this.#simulatorPort = simulator.port;
    this.#exchangePorts = simulator.exchangePorts;
    this.#simulatorUrl = simulator.url;
    this.#running.set('simulator', simulator);
  }

  async startServer(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const server = await startServer(
      readServerConfig({
        MODE: 'TEST',
        PORT: String(this.#serverPort),
        SIMULATOR_URL: this.#simulatorUrl,
        BINANCE_SYMBOLS: this.#symbols.join(' '),
        DATABASE_URL: this.#databaseUrl,
        SHUTDOWN_GRACE_MS: '1000',
        REST_TIMEOUT_MS: patience,
        DB_STATEMENT_TIMEOUT_MS: patience,
        ...environment,
      }),
      this.#surroundings,
    );
    this.#serverPort = server.port;
    this.#running.set('server', server);
  }

  async startPersistor(): Promise<void> {
    const environment = {
      SERVER_ADDRESS: this.serverUrl,
      DATABASE_URL: this.#databaseUrl,
      DB_STATEMENT_TIMEOUT_MS: patience,
    };
    const persistor = await startPersistor(readPersistorConfig(environment), this.#surroundings);
    this.#running.set('persistor', persistor);
  }

  async stop(program: 'simulator' | 'server' | 'persistor'): Promise<void> {
    const running = this.#running.get(program);
    this.#running.delete(program);
    await running?.[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of ['persistor', 'server', 'simulator'] as const) await this.stop(program);
  }

  get #surroundings() {
    return { clock: this.#clock, logger: silentLogger };
  }
}

/** Just before a month, a week, a 3d and a day begin together. */
export const beforeEverything: Micros = Date.UTC(2027, 1, 1) * 1000;
