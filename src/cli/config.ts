import { z } from 'zod';
import { readSettings, text, withEnvFile } from '../base/env.ts';
import type { Environment, Settings } from '../base/env.ts';

export const cliSettings = {
  PORT: {
    schema: z
      .string()
      .refine(
        (value) => /^[1-9]\d{0,4}$/u.test(value) && Number(value) <= 65_535,
        'expected a port from 1 to 65535',
      )
      .optional(),
    description: 'The port of the server on this machine that is asked, unless --server names one',
    aliases: ['APP_GRPC_PORT', 'APP_PORT', 'HTTP_PORT'],
  },
  TRADEWIND_DIRECTORY: {
    schema: text('.tradewind'),
    description: 'Where npm start keeps its database and the addresses it runs at',
  },
} satisfies Settings;

export type CliConfig = {
  /** host:port or a URL, as it was typed. */
  readonly server: string | undefined;
  readonly port: string | undefined;
  readonly directory: string;
};

/** What the flags of every command that asks the server are. */
export type CliFlags = { readonly server?: string; readonly envFile?: string };

/** @throws ConfigurationError */
export function readCliConfig(environment: Environment, flags: CliFlags): CliConfig {
  const values = readSettings(cliSettings, withEnvFile(environment, flags.envFile));
  return {
    server: flags.server,
    port: values.PORT,
    directory: values.TRADEWIND_DIRECTORY ?? '.tradewind',
  };
}
