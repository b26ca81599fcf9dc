import { stat } from 'node:fs/promises';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import type { Environment } from '../base/env.ts';
import type { PositionClient } from '../rpc/client.ts';
import { addServerFlags, askServer } from './ask-server.ts';
import type { CliFlags } from './config.ts';
import { parseDurationArgument } from './duration-argument.ts';
import type { Duration } from './duration-argument.ts';
import { example } from './example.ts';
import { ExecutionFile } from './executions/execution-file.ts';
import { ImportProgress } from './executions/import-progress.ts';
import { recordExecutions } from './executions/record-executions.ts';
import type { RecordCounts } from './executions/record-executions.ts';
import { outageNote } from './executions/outage-note.ts';
import { RefusedRows } from './executions/refused-rows.ts';
import { Failure } from './failure.ts';
import { ProgressBar } from './progress-bar.ts';
import { stopOnRequest } from './stop-on-request.ts';

type Options = CliFlags & {
  readonly account: string;
  readonly source: string;
  readonly refused?: string;
  readonly patience: Duration;
};

/** Makes `command` the import of executions: its arguments, its help, and what it does. */
export function describeImport(command: Command, environment: Environment): Command {
  return addServerFlags(command)
    .description('Record the executions in a file')
    .argument('<file>', 'CSV with a header, or a JSON object a line')
    .option('--account <name>', 'of rows that name none', 'default')
    .option('--source <name>', 'who tells the rows that name none', 'file')
    .option('--refused <file>', 'where to write refused rows (default: the file’s name + .refused)')
    .option(
      '--patience <duration>',
      'how long to wait for a server that is away',
      parseDurationArgument,
      parseDurationArgument('1m'),
    )
    .addHelpText('after', help)
    .addHelpText('after', example('import executions.csv'))
    .action(async (file: string, options: Options) => {
      await askServer(environment, options, ({ positions }) =>
        importFile(positions, file, options, environment),
      );
    });
}

const help = `
The columns are source_id,instrument,quantity,price,executed_at and perhaps account, fee, source,
exchange, corrects. A quantity below 0 is sold. A time is RFC 3339, or a number since 1970: seconds,
from 12 digits on milliseconds, from 15 on microseconds.

The same row again changes nothing: an import that was cut off can be repeated, and goes on where it
was. Refused rows are written to a file with the reason; then the exit code is 1.`;

async function importFile(
  positions: PositionClient,
  path: string,
  options: Options,
  environment: Environment,
): Promise<void> {
  const size = await sizeOf(path);
  const progress = await ImportProgress.open(path);
  if (progress.rows > 0) console.error(`Going on after row ${progress.rows}`);
  const bar = new ProgressBar(process.stderr, systemClock);
  const refusedPath = options.refused ?? `${path}.refused`;
  await using refused = await RefusedRows.open(refusedPath, progress.refusedBytes);
  using stop = stopOnRequest(
    environment,
    new Failure('stopped; the same command goes on from here'),
  );
  const patienceMs = Number(options.patience.seconds) * 1000 + options.patience.nanos / 1_000_000;
  let read = 0;
  let soFar: RecordCounts | undefined;
  const source = new ExecutionFile({ path, ...options, onRead: (bytes) => (read = bytes) });
  try {
    const counts = await recordExecutions(positions, source, {
      clock: systemClock,
      signal: stop.signal,
      patienceMs,
      skip: progress.rows,
      onProgress: async (rows, counts) => {
        soFar = counts;
        bar.show(size === 0 ? 1 : read / size);
        // Before it is noted that they are dealt with: otherwise a kill would lose them.
        progress.note({ rows, refusedBytes: await refused.write() });
      },
      onRefused: (row, reason) => refused.add(row, reason),
      onOutage: outageNote(bar, patienceMs),
    });
    await progress.done();
    bar.clear();
    tell(counts);
  } catch (error) {
    bar.clear();
    if (soFar !== undefined) tell(soFar);
    throw stop.signal.aborted ? stop.signal.reason : error;
  }
  const complaint = refused.complaint();
  if (complaint !== undefined) throw new Failure(complaint);
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (cause) {
    throw new Failure(`${path}: there is no such file, or it may not be read`, { cause });
  }
}

function tell({ recorded, duplicates, refused }: RecordCounts): void {
  console.log(`${recorded} recorded, ${duplicates} recorded before, ${refused} refused`);
}
