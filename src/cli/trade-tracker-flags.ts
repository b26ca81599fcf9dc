import { Option } from 'commander';
import type { Command } from 'commander';

/** What Trade Tracker took on all its commands: about its database and what it listened at. */
const flags = [
  'env',
  'health_port',
  'log_level',
  'max_goroutines',
  'max_pg_idle_conn',
  'max_pg_open_conn',
  'port',
  'postgres_database',
  'postgres_host',
  'postgres_password',
  'postgres_port',
  'postgres_user',
];

/**
 * Lets a program and its commands take Trade Tracker's flags, so that scripts go on as they are. They
 * say nothing here, where a server is asked, and are left out of the help.
 */
export function acceptTradeTrackerFlags(command: Command): void {
  for (const flag of flags) {
    if (command.options.some(({ long }) => long === `--${flag}`)) continue;
    command.addOption(new Option(`--${flag} <value>`).hideHelp());
  }
  for (const subcommand of command.commands) acceptTradeTrackerFlags(subcommand);
}
