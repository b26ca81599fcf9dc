import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { openServerClient } from '../../src/rpc/client.ts';
import type { OrderClient, ServerClient } from '../../src/rpc/client.ts';
import { readSimulatorConfig } from '../../src/simulator/config.ts';
import { startSimulator } from '../../src/simulator/start-simulator.ts';
import type { RunningSimulator } from '../../src/simulator/start-simulator.ts';

const program = fileURLToPath(new URL('../../src/server.ts', import.meta.url));

/** A server as a process of its own, until it serves or has ended. */
export class OrderServer implements AsyncDisposable {
  readonly client: ServerClient;
  readonly url: string;
  readonly #child: ChildProcess;

  /** @returns undefined when it ended before it served */
  static async start(environment: Readonly<Record<string, string>>): Promise<OrderServer | string> {
    const child = spawn(process.execPath, [program], {
      cwd: '/',
      env: { PATH: process.env['PATH'], PORT: '0', SHUTDOWN_GRACE_MS: '1000', ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    const lines = createInterface(child.stdout);
    const serving = Promise.withResolvers<string>();
    lines.on('line', (text) => {
      const line = JSON.parse(text) as { level: number; msg: string; url?: string };
      // Shown with the test that fails.
      if (line.level >= 40) console.log(text);
      if (line.msg === 'Serving' && line.url !== undefined) serving.resolve(line.url);
    });
    const url = await Promise.race([serving.promise, ended.then(() => undefined)]);
    if (url !== undefined) return new OrderServer(child, url);
    const [code, signal] = (await ended) as [number | null, string | null];
    return signal ?? String(code);
  }

  private constructor(child: ChildProcess, url: string) {
    this.#child = child;
    this.url = url;
    this.client = openServerClient(url, {
      clock: systemClock,
      pingIntervalMs: 1_000,
      pingTimeoutMs: 1_000,
    });
  }

  /** How it ended: a signal or an exit code; undefined while it runs. */
  get end(): string | undefined {
    const { exitCode, signalCode } = this.#child;
    return signalCode ?? (exitCode === null ? undefined : String(exitCode));
  }

  async kill(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.end !== undefined) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    await ended;
  }

  /** Stops it in the middle of whatever it does, as a suspended machine would, and lets it go on. */
  async freeze(durationMs: number): Promise<void> {
    this.#child.kill('SIGSTOP');
    await pause(durationMs);
    this.#child.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client[Symbol.dispose]();
    await this.kill('SIGKILL');
  }
}

type WholeLevel = readonly [price: number, quantity: number];

/** A simulated market that shows what it is told to, for servers on one database. */
export class OrderMarketplace implements AsyncDisposable {
  readonly symbols: readonly string[];
  readonly #simulator: RunningSimulator;
  readonly #databaseUrl: string;
  #updateId = 400_900_200;

  static async open(databaseUrl: string, symbols: readonly string[]): Promise<OrderMarketplace> {
    const surroundings = { clock: systemClock, logger: silentLogger };
    const config = readSimulatorConfig(
      { SIMULATOR_PORT: '0', SIMULATOR_REQUEST_WEIGHT: '1000000' },
      {},
    );
    const simulator = await startSimulator(config, surroundings);
    const marketplace = new OrderMarketplace(simulator, databaseUrl, symbols);
    for (const symbol of symbols) await marketplace.#inject(symbol, []);
    return marketplace;
  }

  private constructor(
    simulator: RunningSimulator,
    databaseUrl: string,
    symbols: readonly string[],
  ) {
    this.#simulator = simulator;
    this.#databaseUrl = databaseUrl;
    this.symbols = symbols;
  }

  startServer(environment: Readonly<Record<string, string>> = {}): Promise<OrderServer | string> {
    return OrderServer.start({
      MODE: 'TEST',
      SIMULATOR_URL: this.#simulator.url,
      BINANCE_SYMBOLS: this.symbols.join(' '),
      DATABASE_URL: this.#databaseUrl,
      HISTORY_CANDLES: '0',
      ...environment,
    });
  }

  /** Shows the next book ticker of a symbol to all, in whole units; answers its update id. */
  async show(symbol: string, bid: WholeLevel, ask: WholeLevel): Promise<number> {
    const [b, B, a, A] = [...bid, ...ask].map((count) => `${count}.00000000`);
    const u = ++this.#updateId;
    await this.#inject(symbol, [{ u, s: symbol, b, B, a, A }]);
    return u;
  }

  async #inject(symbol: string, frames: readonly object[]): Promise<void> {
    const body = JSON.stringify({ action: 'inject', symbol, frames });
    const response = await fetch(`${this.#simulator.url}/control`, { method: 'POST', body });
    if (!response.ok) throw new Error(await response.text());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#simulator[Symbol.asyncDispose]();
  }
}

/** Asks again and again, as a client does that wants an answer; `client` gives the server of the moment. */
export async function insist<Answer>(
  client: () => Promise<OrderClient>,
  ask: (orders: OrderClient) => Promise<Answer>,
  patienceMs = 60_000,
): Promise<Answer> {
  const endMs = performance.now() + patienceMs;
  for (;;) {
    try {
      return await ask(await client());
    } catch (error) {
      if (performance.now() > endMs) throw error;
      await pause(50);
    }
  }
}
