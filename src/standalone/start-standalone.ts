import { join } from 'node:path';
import { readAddresses, removeAddresses, writeAddresses } from '../base/addresses.ts';
import type { Addresses } from '../base/addresses.ts';
import type { ChildProcesses } from '../base/child-processes.ts';
import { choosePort } from '../base/choose-port.ts';
import type { Environment } from '../base/env.ts';
import type { Running, Surroundings } from '../base/program.ts';
import { SupervisedProgram } from '../base/supervised-program.ts';
import { untilAnswered } from '../base/until-answered.ts';
import { migrate } from '../store/migrate.ts';
import { banner } from './banner.ts';
import type { StandaloneConfig } from './config.ts';
import { takeLock } from './lock.ts';
import { formatLogLine } from './log-line.ts';
import { modeOf } from './mode-of.ts';
import { SupervisedPostgres } from './supervised-postgres.ts';

/** The directory is in use by another standalone; the message is for people. */
export class AlreadyRunningError extends Error {
  readonly addresses: Addresses | undefined;

  constructor(directory: string, pid: number) {
    super(`Tradewind runs in ${directory} already (process ${pid})`);
    this.name = 'AlreadyRunningError';
    this.addresses = readAddresses(directory);
  }
}

export type StandaloneSurroundings = Surroundings & {
  /** Aborted when the start is not wanted any more. */
  readonly signal: AbortSignal;
  /** Where the processes are registered, for who wants to end them all at once. */
  readonly children: ChildProcesses;
  /** Takes lines for people. */
  readonly print: (line: string) => void;
};

/**
 * Starts everything: Postgres, the simulator (in TEST mode), the server, the persistor, each of
 * them when what it needs answers. Disposing it ends them in reverse.
 * @throws AlreadyRunningError, and whatever keeps one of them from starting
 */
export async function startStandalone(
  config: StandaloneConfig,
  surroundings: StandaloneSurroundings,
): Promise<Running> {
  const { clock, logger, signal, children, print } = surroundings;
  const { directory, startTimeoutMs } = config;
  await using stack = new AsyncDisposableStack();

  const lock = takeLock(directory);
  if (!lock.isOurs) throw new AlreadyRunningError(directory, lock.pid);
  stack.defer(lock.release);

  const chosen = new Set<number>();
  const portFor = async (program: string, wanted: number) => {
    const port = await choosePort(wanted, chosen);
    if (port !== wanted && wanted !== 0) {
      logger.warn({ program, wanted, port }, 'A port is in use, taking another one');
    }
    return port;
  };
  const isLive = config.mode === 'LIVE';
  const serverPort = await portFor('server', config.port);
  const simulatorPort = isLive ? 0 : await portFor('simulator', config.simulatorPort);
  const exchangePorts: number[] = [];
  for (const [index, wanted] of isLive ? [] : config.exchangePorts.entries()) {
    exchangePorts.push(await portFor(`exchange${index + 1} of the simulator`, wanted));
  }
  const postgresPort = await portFor('Postgres', config.postgresPort);
  signal.throwIfAborted();

  const postgres = stack.use(
    await SupervisedPostgres.open({
      directory: join(directory, 'postgres'),
      port: postgresPort,
      clock,
      logger,
      children,
    }),
  );
  signal.throwIfAborted();
  await migrate({ url: postgres.url, direction: 'up', logger });
  signal.throwIfAborted();

  const supervise = (name: string, environment: Environment) =>
    stack.use(
      new SupervisedProgram({
        name,
        environment: { ...config.environment, ...environment },
        stopTimeoutMs: config.stopTimeoutMs,
        clock,
        logger,
        children,
        onLine: (program, line) => print(formatLogLine(program, line, process.stdout)),
      }),
    );
  const untilUp = async (program: SupervisedProgram, name: string, url: string) => {
    const patience = { clock, timeoutMs: startTimeoutMs, signal };
    await Promise.race([untilAnswered(name, url, patience), program.failed]);
  };

  const programs: SupervisedProgram[] = [];
  const simulatorUrl = `http://127.0.0.1:${simulatorPort}`;
  if (!isLive) {
    const simulator = supervise('simulator', {
      SIMULATOR_HOST: '127.0.0.1',
      SIMULATOR_PORT: String(simulatorPort),
      SIMULATOR_EXCHANGE_PORTS: exchangePorts.join(' '),
    });
    programs.push(simulator);
    await untilUp(simulator, 'simulator', `${simulatorUrl}/api/v3/time`);
  }

  const serverAddress = `${reachable(config.host)}:${serverPort}`;
  const server = supervise('server', {
    HOST: config.host,
    PORT: String(serverPort),
    MODE: config.mode,
    BINANCE_SYMBOLS: config.symbols.join(' '),
    DATABASE_URL: postgres.url,
    // Empty is not set: on this machine everything speaks in clear, and reads where it writes.
    DB_READ_DSN: '',
    TLS_CERT_FILE: '',
    TLS_KEY_FILE: '',
    // Where none was started, the server starts one of its own if it is switched to TEST mode.
    SIMULATOR_URL: isLive ? '' : simulatorUrl,
    SIMULATOR_EXCHANGE_PORTS: (isLive ? config.exchangePorts : exchangePorts).join(' '),
  });
  programs.push(server);
  await untilUp(server, 'server', `http://${serverAddress}/healthz`);

  programs.push(
    supervise('persistor', { SERVER_ADDRESS: serverAddress, DATABASE_URL: postgres.url }),
  );

  const addresses = {
    pid: process.pid,
    server: `http://${serverAddress}`,
    ...(isLive ? {} : { simulator: simulatorUrl }),
    database: postgres.url,
  };
  writeAddresses(directory, addresses);
  stack.defer(() => removeAddresses(directory));
  print(banner(addresses, await modeOf(addresses.server, config.mode, clock)));

  const everything = stack.move();
  return {
    ended: Promise.race(programs.map(({ failed }) => failed)),
    [Symbol.asyncDispose]: () => everything.disposeAsync(),
  };
}

/** Where a server that listens on `host` is reached from this machine. */
function reachable(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
