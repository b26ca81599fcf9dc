import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { ChildProcesses } from '../src/base/child-processes.ts';
import { systemClock } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { onStopRequested } from '../src/base/stop-signals.ts';
import { readStandaloneConfig } from '../src/standalone/config.ts';
import { startStandalone } from '../src/standalone/start-standalone.ts';
import { steps } from './demo/steps.ts';
import type { Step } from './demo/steps.ts';

// npm run demo: what Trade Tracker's demo showed, and more, against a Tradewind of its own on free
// ports, whose data is thrown away. Ends with 0 when every step ended as it is told to.

const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'tradewind-demo-'));
// Postgres may run as a user of its own, who must come through.
chmodSync(directory, 0o755);

const environment = {
  PATH: process.env['PATH'],
  TRADEWIND_DIRECTORY: join(directory, '.tradewind'),
  PORT: '0',
  SIMULATOR_PORT: '0',
  SIMULATOR_EXCHANGE_PORTS: '0 0 0',
  POSTGRES_PORT: '0',
  // The market is not what this is about.
  BINANCE_SYMBOLS: 'BTCUSDT',
  HISTORY_CANDLES: '0',
};
const children = new ChildProcesses();
const stop = new AbortController();
using _watch = onStopRequested(systemClock, process.env, {
  onStop: () => stop.abort(new Error('stopped')),
  onInsist: () => {
    children.killAll();
    process.exit(1);
  },
});

try {
  await show();
} catch (error) {
  if (!stop.signal.aborted) console.error(error);
  process.exitCode = 1;
} finally {
  rmSync(directory, { recursive: true, force: true });
}
// What waits for nothing any more must not keep us.
process.exit();

async function show(): Promise<void> {
  tell(
    'Starting a Tradewind of its own: Postgres, a simulated market, the server, the persistor …',
  );
  await using _everything = await startStandalone(readStandaloneConfig(environment, {}), {
    clock: systemClock,
    logger: silentLogger,
    signal: stop.signal,
    children,
    print: () => {},
  });
  for (const step of steps(directory)) await take(step);
  tell('\nThat was it. Everything is ended again, and its data is gone: npm start keeps it.');
}

/** Says what comes, prints the command, runs it, and checks how it ends. */
async function take({ say, command = [], expectedExitCode = 0, prepare }: Step): Promise<void> {
  stop.signal.throwIfAborted();
  prepare?.();
  tell(`\n${say}`);
  if (command.length === 0) return;
  const [, ...args] = command;
  const typed = command.join(' ');
  console.log(styleText('bold', `$ ${typed}`, { stream: process.stdout }));
  const child = spawn(process.execPath, ['--', cli, ...args], {
    cwd: directory,
    // Without PORT: the server is found by what npm start writes down, as yours would be.
    env: { ...environment, PORT: undefined },
    stdio: ['ignore', 'inherit', 'inherit'],
    signal: stop.signal,
  });
  const [exitCode] = (await once(child, 'close')) as [number | null];
  if (exitCode !== expectedExitCode) {
    throw new Error(`Expected ${typed} to end with ${expectedExitCode}, it did with ${exitCode}`);
  }
}

function tell(text: string): void {
  console.log(styleText('cyan', text, { stream: process.stdout }));
}
