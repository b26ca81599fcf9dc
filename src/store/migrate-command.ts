import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander';
import type { Environment } from '../base/env.ts';
import { ConfigurationError, envFileFlag, readSettings, withEnvFile } from '../base/env.ts';
import { openLogger } from '../base/logger.ts';
import { version } from '../base/program.ts';
import { requiredDatabaseSettings, withDatabaseUrl } from './config.ts';
import { migrate, MigrationError } from './migrate.ts';

/**
 * `migrate up|down [N|all]`: brings the schema of DATABASE_URL up or down and says what it did.
 * @returns the exit code: 0, 1 for a failure, 2 for a configuration that is not usable
 */
export async function runMigrate(
  argv: readonly string[],
  environment: Environment,
): Promise<number> {
  const command = new Command('migrate')
    .description('Brings the schema of the database at DATABASE_URL up or down')
    .version(version)
    .addArgument(new Argument('<direction>', 'up or down').choices(['up', 'down']))
    .argument('[count]', 'how many migrations, or all (default: up all, down 1)', parseCount)
    .option(...envFileFlag)
    .showHelpAfterError()
    .exitOverride();
  try {
    command.parse(argv);
    const [direction, count] = command.processedArgs as ['up' | 'down', number | undefined];
    const { envFile } = command.opts<{ envFile?: string }>();
    const read = withDatabaseUrl(withEnvFile(environment, envFile));
    const settings = readSettings(requiredDatabaseSettings, read);
    const names = await migrate({
      url: settings.DATABASE_URL,
      direction,
      logger: openLogger('migrate', 'error'),
      ...(count === undefined ? {} : { count }),
    });
    for (const name of names) console.log(`${direction} ${name}`);
    if (names.length === 0) console.log(`Nothing to migrate ${direction}`);
    return 0;
  } catch (error) {
    // Commander has said what is wrong already.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof ConfigurationError) && !(error instanceof MigrationError)) throw error;
    console.error(error.message);
    return error instanceof ConfigurationError ? 2 : 1;
  }
}

function parseCount(text: string): number {
  if (text === 'all') return Infinity;
  if (!/^[1-9]\d{0,3}$/u.test(text))
    throw new InvalidArgumentError('expected a number from 1 to 9999, or all');
  return Number(text);
}
