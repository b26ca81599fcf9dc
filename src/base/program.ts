import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { systemClock } from './clock.ts';
import type { Clock } from './clock.ts';
import { ConfigurationError, envFileFlag, withEnvFile } from './env.ts';
import type { Environment, Settings } from './env.ts';
import { openLogger } from './logger.ts';
import type { Logger, LogLevel } from './logger.ts';
import { StartError } from './start-error.ts';
import { onStopRequested } from './stop-signals.ts';

/** What every program is given. */
export type Surroundings = {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Aborted when the program is told to stop, also while it starts: a long start may give up. */
  readonly signal?: AbortSignal;
};

/** A started program: disposing it ends it. */
export interface Running extends AsyncDisposable {
  /** Settles when the program ends by itself; a program without it runs until it is told to stop. */
  readonly ended?: Promise<void>;
}

export type Program<Config extends { readonly logLevel: LogLevel }> = {
  readonly name: string;
  readonly summary: string;
  /** For --help and the environment's names. */
  readonly settings: Settings;
  readonly readConfig: (
    environment: Environment,
    flags: Readonly<Record<string, unknown>>,
  ) => Config;
  readonly start: (config: Config, surroundings: Surroundings) => Promise<Running>;
  /** Further flags, as commander declares them: ['--record <file>', 'what it does']. */
  readonly flags?: readonly (readonly [flags: string, description: string])[];
  /** Opens another log than JSON lines on standard output. */
  readonly openLogger?: (level: LogLevel) => Logger;
  /** Called before the process ends at once, because it was told to stop a second time. */
  readonly onInsist?: () => void;
};

/** The version in package.json. */
export const version: string = (
  JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  }
).version;

/**
 * Runs a program as a process: reads its configuration, starts it, and ends it on SIGTERM or
 * SIGINT, or when the parent that holds its IPC channel is gone. Exits 0 after a clean end, 2 for a
 * configuration or flag that is not usable, 1 for a failure. A second signal ends it at once.
 */
export async function runProgram<Config extends { readonly logLevel: LogLevel }>(
  program: Program<Config>,
  environment: Environment,
): Promise<void> {
  const command = new Command(program.name)
    .description(program.summary)
    .version(version)
    .option(...envFileFlag)
    .showHelpAfterError()
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
    .addHelpText('after', () => `\n${describeSettings(program.settings)}`);
  for (const [flags, description] of program.flags ?? []) command.option(flags, description);
  command.parse();
  const flags = command.opts<{ envFile?: string }>();

  let config: Config;
  try {
    config = program.readConfig(withEnvFile(environment, flags.envFile), flags);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    console.error(error.message);
    process.exit(2);
  }

  const logger = program.openLogger?.(config.logLevel) ?? openLogger(program.name, config.logLevel);
  const stopping = new AbortController();
  const { signal } = stopping;
  const { promise: stop, resolve: requestStop } = Promise.withResolvers<void>();
  onStopRequested(systemClock, environment, {
    onStop: (reason) => {
      logger.info({ reason }, 'Stopping');
      stopping.abort();
      requestStop();
    },
    onInsist: () => {
      program.onInsist?.();
      process.exit(1);
    },
  });
  try {
    const running = await program.start(config, { clock: systemClock, logger, signal });
    try {
      await Promise.race([stop, running.ended ?? stop]);
    } finally {
      await running[Symbol.asyncDispose]();
    }
    logger.info('Stopped');
    process.exit(0);
  } catch (error) {
    if (signal.aborted && error === signal.reason) {
      logger.info('Stopped before it had started');
      process.exit(0);
    }
    // What people can mend is told in one line, also where nothing is logged.
    if (error instanceof StartError) console.error(error.message);
    else logger.fatal({ err: error }, 'Failed');
    process.exit(1);
  }
}

function describeSettings(settings: Settings): string {
  const lines = Object.entries(settings).map(([key, { schema, description, aliases = [] }]) => {
    const fallback = schema.safeParse(undefined);
    const value = fallback.success ? show(fallback.data) : 'required';
    const also = aliases.length > 0 ? ` (also ${aliases.join(', ')})` : '';
    return `  ${key}${value === '' ? '' : `=${value}`}${also}\n      ${description}`;
  });
  return `Environment:\n${lines.join('\n')}`;
}

function show(value: unknown): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.join(' ');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
