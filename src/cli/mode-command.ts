import { Argument } from 'commander';
import type { Command } from 'commander';
import { Mode } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import type { Environment } from '../base/env.ts';
import { addServerFlags, askServer } from './ask-server.ts';
import type { CliFlags } from './config.ts';
import { requestTimeoutMs } from './list-candles.ts';
import { writeLines } from './write-lines.ts';

type Options = CliFlags & { readonly json?: true };

/** The server may have to start a simulator first. */
const switchTimeoutMs = 60_000;

const modes = { live: Mode.LIVE, test: Mode.TEST } as const;
const modeNames = Object.keys(modes);

/** Makes `command` the one that shows or sets the mode: its arguments, its help, and what it does. */
export function describeMode(command: Command, environment: Environment): Command {
  return addServerFlags(command)
    .description('Show which market the server works on, or go over to another one')
    .addArgument(new Argument('[mode]', 'the market to go over to').choices(modeNames))
    .option('--json', 'one JSON object')
    .addHelpText('after', '\nExample:\n  $ tradewind mode live')
    .action(async (name: string | undefined, { json, ...flags }: Options) => {
      await askServer(environment, flags, async ({ system }) => {
        const wanted = name === 'live' || name === 'test' ? modes[name] : undefined;
        const answer =
          wanted && (await system.setMode({ mode: wanted }, { timeoutMs: switchTimeoutMs }));
        const { mode, exchanges, kept } = await system.getMode({}, { timeoutMs: requestTimeoutMs });
        const lines = json
          ? [JSON.stringify({ mode: modeName(mode), exchanges, kept })]
          : [
              ...(answer === undefined ? [] : [answer.message]),
              `${modeName(mode)}: ${exchanges.join(', ')}`,
              kept ? 'It is kept for the next start' : 'The next start is in the configured mode',
            ];
        await writeLines(process.stdout, lines);
      });
    });
}

/** A newer server may have modes that we do not know. */
export function modeName(mode: Mode): string {
  return mode === Mode.LIVE ? 'LIVE' : mode === Mode.TEST ? 'TEST' : 'unknown';
}
