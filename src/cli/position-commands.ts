import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { Environment } from '../base/env.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { addServerFlags, askServer } from './ask-server.ts';
import type { CliFlags } from './config.ts';
import { example } from './example.ts';
import { parseTime } from './executions/execution-time.ts';
import type { Moment } from './executions/execution-source.ts';
import {
  freezePositions,
  listExecutions,
  listFreezes,
  listHistory,
  listPositions,
  queryPosition,
  rebuildPosition,
} from './position/show-positions.ts';
import { parseTimeframe } from './timeframe-argument.ts';

type Options = CliFlags & { readonly account: string; readonly json?: true };

/** Adds the commands about positions to `program`. */
export function describePositions(program: Command, environment: Environment): void {
  const command = (name: string) =>
    addServerFlags(program.command(name))
      .option('--account <name>', 'whose positions', 'default')
      .option('--json', 'one JSON object a line');

  command('position')
    .description(
      'Compute an instrument’s positions anew, all or those after a time, and show the last',
    )
    .argument('<instrument>', 'a number like 123, BTCUSDT, or exchange:SYMBOL')
    .argument('[time]', 'RFC 3339, or a number since 1970', parseMoment)
    .action(async (instrument: string, after: Moment | undefined, options: Options) => {
      await askServer(environment, options, ({ positions }) =>
        rebuildPosition(positions, { ...options, instrument, after }),
      );
    });
  command('query')
    .description('Show the position in an instrument, the latest or that at a time')
    .argument('<instrument>', 'a number like 123, BTCUSDT, or exchange:SYMBOL')
    .argument('[time]', 'RFC 3339, or a number since 1970', parseMoment)
    .addHelpText('after', example('query 123 2022-04-25T14:16:20Z'))
    .action(async (instrument: string, at: Moment | undefined, options: Options) => {
      await askServer(environment, options, ({ positions }) =>
        queryPosition(positions, { ...options, instrument, at }),
      );
    });
  command('positions')
    .description('List the latest positions of the account')
    .action(async (options: Options) => {
      await askServer(environment, options, ({ positions }) => listPositions(positions, options));
    });
  command('executions')
    .description('List the executions of an instrument, the latest ones last')
    .argument('<instrument>', 'a number like 123, BTCUSDT, or exchange:SYMBOL')
    .option('--from <time>', 'at or after this', parseMoment)
    .option('--to <time>', 'before this', parseMoment)
    .option('-n, --limit <count>', 'how many, 1 to 100000', parseLimit, 100)
    .action(async (instrument: string, options: Options & Span & { limit: number }) => {
      await askServer(environment, options, ({ positions }) =>
        listExecutions(positions, { ...options, instrument }),
      );
    });
  command('history')
    .description('List how the position in an instrument changed, bin by bin')
    .argument('<instrument>', 'a number like 123, BTCUSDT, or exchange:SYMBOL')
    .requiredOption('--bin <width>', 'how wide a bin is: 1s 1m 3m … 1d 3d 1w 1M', parseTimeframe)
    .option('--from <time>', 'from the bin that holds this', parseMoment)
    .option('--to <time>', 'to bins that begin before this', parseMoment)
    .option('-n, --limit <count>', 'how many, 1 to 100000', parseLimit, 500)
    .addHelpText('after', example('history BTCUSDT --bin 1h'))
    .action(
      async (instrument: string, options: Options & Span & { bin: Timeframe; limit: number }) => {
        await askServer(environment, options, ({ positions }) =>
          listHistory(positions, { ...options, instrument }),
        );
      },
    );
  addServerFlags(program.command('freeze'))
    .description('Close the books: nothing is recorded up to this time any more')
    .argument('<time>', 'RFC 3339, or a number since 1970; at least one minute ago', parseMoment)
    .option('--account <name>', 'whose books', 'default')
    .addOption(new Option('--all-accounts', 'the books of all').conflicts('account'))
    .option('--instrument <name>', 'only this instrument', '')
    .action(async (until: Moment, options: CliFlags & FreezeFlags) => {
      await askServer(environment, options, ({ positions }) =>
        freezePositions(positions, {
          account: options.allAccounts === true ? '' : options.account,
          instrument: options.instrument,
          until,
        }),
      );
    });
  addServerFlags(program.command('freezes'))
    .description('List what is frozen')
    .option('--account <name>', 'only what concerns this account', '')
    .option('--instrument <name>', 'only what concerns this instrument', '')
    .action(async (options: CliFlags & { account: string; instrument: string }) => {
      await askServer(environment, options, ({ positions }) => listFreezes(positions, options));
    });
}

type Span = { readonly from?: Moment; readonly to?: Moment };
type FreezeFlags = {
  readonly account: string;
  readonly allAccounts?: true;
  readonly instrument: string;
};

function parseMoment(text: string): Moment {
  const moment = parseTime(text);
  if (moment !== undefined) return moment;
  throw new InvalidArgumentError(
    'Expected a time like 2022-04-25T14:16:18Z, or a number since 1970.',
  );
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d{1,6}$/u.test(text) || limit < 1 || limit > 100_000) {
    throw new InvalidArgumentError('Expected a number from 1 to 100000.');
  }
  return limit;
}
