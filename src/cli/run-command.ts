import { CommanderError } from 'commander';
import type { Command } from 'commander';
import { Failure } from './failure.ts';
import { ConfigurationError } from '../base/env.ts';

/**
 * Runs a command line program and ends the process: 0 when it did what it was asked to, 1 when it
 * could not, 2 when it was not asked properly. A reader that goes away (`| head`) is a good end.
 */
export async function runCommand(command: Command, args: readonly string[]): Promise<never> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  const exitCode = await exitCodeOf(command, args);
  // Whatever is still on its way to a pipe is written before the process ends.
  await new Promise((resolve) => process.stdout.write('', resolve));
  process.exit(exitCode);
}

async function exitCodeOf(command: Command, args: readonly string[]): Promise<number> {
  try {
    await exitWithError(command).parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    // Commander has said what is wrong already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof ConfigurationError) {
      console.error(error.message);
      return 2;
    }
    console.error(error instanceof Failure ? `error: ${error.message}` : error);
    return 1;
  }
}

/** Makes commander throw instead of ending the process with an exit code of its own. */
function exitWithError(command: Command): Command {
  for (const subcommand of command.commands) exitWithError(subcommand);
  return command.exitOverride();
}
