import { ChildProcesses } from '../base/child-processes.ts';
import { choosePort } from '../base/choose-port.ts';
import type { Surroundings } from '../base/program.ts';
import { SupervisedProgram } from '../base/supervised-program.ts';
import { untilAnswered } from '../base/until-answered.ts';
import type { SimulatorAddress } from './configured-exchange.ts';
import type { SimulatorConfig } from './mode-settings.ts';

/** It starts in a second, on a machine that has other work in some. */
const startTimeoutMs = 30_000;
/** It keeps nothing, so that there is nothing to be lost. */
const stopTimeoutMs = 2_000;

/**
 * Starts a simulator as a process on free ports, watched and restarted until `stack` ends it. It ends
 * with this process, however that ends.
 * @throws StartError when it does not start
 */
export async function startOwnSimulator(
  { environment, exchanges }: Extract<SimulatorConfig, { type: 'own' }>,
  { clock, logger, signal }: Required<Surroundings>,
  stack: AsyncDisposableStack,
): Promise<SimulatorAddress> {
  const chosen = new Set<number>();
  const port = await choosePort(0, chosen);
  const exchangePorts: number[] = [];
  for (let number = 0; number < exchanges; number++) {
    exchangePorts.push(await choosePort(0, chosen));
  }
  const url = `http://127.0.0.1:${port}`;
  const program = stack.use(
    new SupervisedProgram({
      name: 'simulator',
      environment: {
        ...environment,
        SIMULATOR_HOST: '127.0.0.1',
        SIMULATOR_PORT: String(port),
        // It has one at least; one that is not followed disturbs nobody.
        SIMULATOR_EXCHANGE_PORTS: exchanges === 0 ? '0' : exchangePorts.join(' '),
        LOG_LEVEL: 'warn',
      },
      stopTimeoutMs,
      clock,
      logger,
      children: new ChildProcesses(),
      onLine: (_, line) => logger.warn({ line }, 'The simulator wrote something'),
    }),
  );
  const waiting = new AbortController();
  const patience = {
    clock,
    timeoutMs: startTimeoutMs,
    signal: AbortSignal.any([signal, waiting.signal]),
  };
  const answered = untilAnswered('simulator', `${url}/api/v3/time`, patience);
  // Where the program gives up first, nobody waits for the answer any more.
  answered.catch(() => {});
  try {
    await Promise.race([answered, program.failed]);
  } finally {
    waiting.abort();
  }
  logger.info({ url, exchangePorts }, 'Started a simulator');
  return { url, exchangePorts };
}
