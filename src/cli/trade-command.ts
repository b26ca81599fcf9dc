import { randomUUID } from 'node:crypto';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import type { Environment } from '../base/env.ts';
import { addServerFlags, askServer } from './ask-server.ts';
import type { CliFlags } from './config.ts';
import { example } from './example.ts';
import { outageNote } from './executions/outage-note.ts';
import { RandomExecutions } from './executions/random-executions.ts';
import { recordExecutions } from './executions/record-executions.ts';
import { Failure } from './failure.ts';
import { ProgressBar } from './progress-bar.ts';
import { stopOnRequest } from './stop-on-request.ts';

/** More than anybody looks at. */
const mostExecutions = 10_000_000;
/** A server that is away for longer is told of. */
const patienceMs = 30_000;

/** Makes `command` the generator of random executions. */
export function describeTrade(command: Command, environment: Environment): Command {
  return addServerFlags(command)
    .description('Record random executions of instruments, from 2000 to now, in no order of time')
    .argument('<num>', `how many, 1 to ${mostExecutions}`, parseCount)
    .argument('<instrument...>', 'numbers like 123, BTCUSDT, or exchange:SYMBOL')
    .option('--account <name>', 'whose', 'default')
    .addHelpText('after', example('trade 1000 123 233'))
    .action(
      async (count: number, instruments: string[], options: CliFlags & { account: string }) => {
        const source = new RandomExecutions({
          count,
          instruments,
          account: options.account,
          run: randomUUID(),
          now: systemClock.now(),
        });
        const bar = new ProgressBar(process.stderr, systemClock);
        using stop = stopOnRequest(
          environment,
          new Failure('stopped; what was under way may be recorded as well'),
        );
        const refusals = new Set<string>();
        let recorded = 0;
        try {
          await askServer(environment, options, ({ positions }) =>
            recordExecutions(positions, source, {
              clock: systemClock,
              signal: stop.signal,
              patienceMs,
              skip: 0,
              onProgress: (rows, counts) => {
                bar.show(rows / count);
                recorded = counts.recorded;
                // Whatever is wrong with all of them is wrong with those to come.
                if (recorded === 0 && refusals.size > 0) stop.abort(refusedFor(refusals));
              },
              onRefused: (_row, reason) => refusals.add(reason),
              onOutage: outageNote(bar, patienceMs),
            }),
          );
        } catch (error) {
          throw stop.signal.aborted ? stop.signal.reason : error;
        } finally {
          bar.clear();
          console.log(`${recorded} recorded`);
        }
        if (refusals.size > 0) throw refusedFor(refusals);
      },
    );
}

function refusedFor(reasons: ReadonlySet<string>): Failure {
  return new Failure([...reasons].join('\n'));
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!/^\d{1,8}$/u.test(text) || count < 1 || count > mostExecutions) {
    throw new InvalidArgumentError(`Expected a number from 1 to ${mostExecutions}.`);
  }
  return count;
}
