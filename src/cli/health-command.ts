import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { GetHealthResponse } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import type { Environment } from '../base/env.ts';
import { microsOf } from '../rpc/messages.ts';
import { addServerFlags, askServer } from './ask-server.ts';
import type { CliFlags } from './config.ts';
import { Failure } from './failure.ts';
import { requestTimeoutMs } from './list-candles.ts';
import { modeName } from './mode-command.ts';
import { formatTime } from './rfc3339.ts';
import { tableLines } from './table.ts';
import type { Column } from './table.ts';
import { writeLines } from './write-lines.ts';

type Options = CliFlags & { readonly json?: true };

/** Makes `command` the one that shows the server's health: its help, and what it does. */
export function describeHealth(command: Command, environment: Environment): Command {
  return addServerFlags(command)
    .description('Show how the server, its feeds, Postgres and Redis are; exit code 1 when down')
    .option('--json', 'one JSON object')
    .action(async ({ json, ...flags }: Options) => {
      const health = await askServer(environment, flags, ({ system }) =>
        system.getHealth({}, { timeoutMs: requestTimeoutMs }),
      );
      await writeLines(process.stdout, json ? [JSON.stringify(recordOf(health))] : tableOf(health));
      if (health.status === 'down') throw new Failure('the server is down');
    });
}

type Row = { name: string; status: string; reason: string; since?: string };

function rowsOf({ feeds, postgres, redis }: GetHealthResponse): Row[] {
  return [
    ...feeds.map(({ exchange: name, status, reason, since }) => ({
      name,
      status,
      reason,
      ...(since === undefined ? {} : { since: formatTime(microsOf(since)) }),
    })),
    { name: 'postgres', status: 'unknown', reason: '', ...told(postgres) },
    { name: 'redis', status: 'unknown', reason: '', ...told(redis) },
  ];
}

function told(dependency: GetHealthResponse['postgres']) {
  return dependency && { status: dependency.status, reason: dependency.reason };
}

function recordOf(health: GetHealthResponse) {
  return { status: health.status, mode: modeName(health.mode), parts: rowsOf(health) };
}

function tableOf(health: GetHealthResponse): Iterable<string> {
  const columns: readonly Column[] = [
    { title: 'PART', align: 'left' },
    { title: 'STATUS', align: 'left' },
    { title: 'SINCE', align: 'left' },
    { title: 'WHY', align: 'left' },
  ];
  const server = { name: 'server', status: health.status, reason: `${modeName(health.mode)} mode` };
  const rows = [server, ...rowsOf(health)].map(({ name, status, reason, since = '-' }: Row) => [
    name,
    styleStatus(status),
    since,
    reason,
  ]);
  return tableLines(columns, rows);
}

function styleStatus(status: string): string {
  const colours = { ok: 'green', degraded: 'yellow', down: 'red' } as const;
  const colour = Object.entries(colours).find(([name]) => name === status)?.[1] ?? 'dim';
  return styleText(colour, status, { stream: process.stdout });
}
