import { Code, ConnectError } from '@connectrpc/connect';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { envFileFlag } from '../base/env.ts';
import type { Environment } from '../base/env.ts';
import { systemClock } from '../base/clock.ts';
import { openServerClient, parseServerAddress } from '../rpc/client.ts';
import type { ServerClient } from '../rpc/client.ts';
import { readCliConfig } from './config.ts';
import type { CliFlags } from './config.ts';
import { Failure } from './failure.ts';
import { findServer } from './find-server.ts';
import type { ServerLocation } from './find-server.ts';
import { isAnsweredUnavailable } from './follow-candles.ts';

/** Gives a command the flags that say which server it asks. */
export function addServerFlags(command: Command): Command {
  return command
    .option(
      '--server <address>',
      'host:port or URL of the server (default: PORT, else the one npm start runs)',
      parseAddress,
    )
    .option(...envFileFlag);
}

/**
 * Finds the server and asks it.
 * @throws Failure saying what was asked and why there is no answer
 */
export async function askServer<Answer>(
  environment: Environment,
  flags: CliFlags,
  ask: (client: ServerClient) => Promise<Answer>,
): Promise<Answer> {
  const location = findServer(readCliConfig(environment, flags));
  try {
    using client = openServerClient(location.address, { clock: systemClock });
    return await ask(client);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    throw new Failure(tell(error, location), { cause: error });
  }
}

function parseAddress(text: string): string {
  try {
    parseServerAddress(text);
    return text;
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function tell(error: ConnectError, { address, origin }: ServerLocation): string {
  const server = `the server at ${address} (from ${origin})`;
  if (isAnsweredUnavailable(error)) return `${server} cannot answer now: ${error.rawMessage}`;
  if (error.code === Code.DeadlineExceeded) return `${server} did not answer in time`;
  if (error.code === Code.Unavailable) {
    return (
      `no server answers at ${address} (from ${origin}): ${error.rawMessage}\n` +
      'Start one with npm start, or name another with --server host:port.'
    );
  }
  return `${server} refused: ${error.rawMessage}`;
}
