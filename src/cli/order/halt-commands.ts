import type { Command } from 'commander';
import type { Environment } from '../../base/env.ts';
import { addServerFlags, askServer } from '../ask-server.ts';
import type { CliFlags } from '../config.ts';
import { haltTrading, resumeTrading, showHalts } from './halts.ts';
import type { HaltScope } from './halts.ts';
import { formatOf, parseAccount } from './order-flags.ts';

type Flags = CliFlags & { readonly json?: true };
type ScopeFlags = Flags & { readonly account?: string; readonly everything?: true };

/** Adds the subcommands that halt trading and resume it. */
export function describeHalts(command: Command, environment: Environment): void {
  scoped(command.command('halt'))
    .description('Stop the trading of an account, or of all: nothing is accepted or filled')
    .option('--reason <text>', 'why, for those who are refused', '')
    .action(async (options: ScopeFlags & { reason: string }, command: Command) => {
      const wish = { scope: scopeOf(options, command), reason: options.reason };
      await askServer(environment, options, ({ orders }) =>
        haltTrading(orders, wish, formatOf(options)),
      );
    });
  scoped(command.command('resume'))
    .description('End the halt of an account, or that of everything')
    .action(async (options: ScopeFlags, command: Command) => {
      const wish = { scope: scopeOf(options, command) };
      await askServer(environment, options, ({ orders }) =>
        resumeTrading(orders, wish, formatOf(options)),
      );
    });
  flagged(command.command('halts'))
    .description('Show what is halted, since when and why')
    .action(async (options: Flags) => {
      await askServer(environment, options, ({ orders }) => showHalts(orders, formatOf(options)));
    });
}

function flagged(command: Command): Command {
  return addServerFlags(command).option('--json', 'one JSON object a line');
}

/** What stops others’ trading is never guessed: no account is meant unless it is named. */
function scoped(command: Command): Command {
  return flagged(command)
    .option('--account <name>', 'this account', parseAccount)
    .option('--everything', 'all accounts');
}

/** Ends the command unless exactly one is named. */
function scopeOf({ account, everything }: ScopeFlags, command: Command): HaltScope {
  if (account !== undefined && everything === undefined) return { case: 'account', value: account };
  if (account === undefined && everything !== undefined) return { case: 'everything', value: true };
  return command.error('error: expected --account <name> or --everything, one of the two');
}
