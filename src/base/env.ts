import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { z } from 'zod';

/** One key of a program's configuration. */
export type Setting<T> = {
  readonly schema: z.ZodType<T>;
  /** One line: meaning, unit, what happens at a bound. */
  readonly description: string;
  /** Other names that are read when the key itself is not set, the first one first. */
  readonly aliases?: readonly string[];
  /** Keeps the value out of errors: it has a password in it, or its schema tells it already. */
  readonly isValueHidden?: boolean;
};

export type Settings = Readonly<Record<string, Setting<unknown>>>;

/** The values of all keys. */
export type SettingValues<S extends Settings> = {
  readonly [Key in keyof S]: z.output<S[Key]['schema']>;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything that is wrong with a configuration, a line each. */
export class ConfigurationError extends Error {
  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((line) => `  ${line}`).join('\n')}`);
    this.name = 'ConfigurationError';
  }
}

/**
 * Reads all settings from the environment; an empty string counts as not set.
 * @throws ConfigurationError naming every key that is wrong, what was expected and what it was
 */
export function readSettings<S extends Settings>(
  settings: S,
  environment: Environment,
): SettingValues<S> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, { schema, aliases = [], isValueHidden }] of Object.entries(settings)) {
    const name = [key, ...aliases].find((name) => (environment[name] ?? '') !== '') ?? key;
    const text = environment[name] === '' ? undefined : environment[name];
    const result = schema.safeParse(text);
    if (result.success) {
      values[key] = result.data;
      continue;
    }
    const expected = result.error.issues.map(({ message }) => message).join('; ');
    const got = text === undefined || isValueHidden === true ? '' : `, got ${quote(text)}`;
    problems.push(`${name}: ${expected}${got}`);
  }
  if (problems.length > 0) throw new ConfigurationError(problems);
  return values as SettingValues<S>;
}

/** A value of a configuration as errors show it: the beginning of a long one. */
export function quote(value: string): string {
  return JSON.stringify(
    value.length > shownCharacters ? `${value.slice(0, shownCharacters)}…` : value,
  );
}

/** Enough to recognize a value by. */
const shownCharacters = 100;

/** The flag that names a settings file, as commander declares it. */
export const envFileFlag = [
  '--env-file <file>',
  'read settings from this file instead of .env (after `node -- src/…`: without the -- Node takes it)',
] as const;

/** In an environment that holds what a settings file said already: no program reads one again. */
export const settingsAreRead: Environment = { TRADEWIND_SETTINGS_ARE_READ: 'true' };

/**
 * The environment, with the keys of a .env file below it.
 * @throws ConfigurationError when a file that was asked for cannot be read
 */
export function withEnvFile(environment: Environment, envFile: string | undefined): Environment {
  const file = envFile ?? '.env';
  const isRead = Object.keys(settingsAreRead).some((key) => environment[key] !== undefined);
  if (envFile === undefined && isRead) return environment;
  if (envFile === undefined && !existsSync(file)) return environment;
  try {
    return { ...parseEnv(readFileSync(file, 'utf8')), ...environment };
  } catch (error) {
    throw new ConfigurationError([`--env-file ${file}: ${(error as Error).message}`]);
  }
}

// The schemas of the kinds of values that settings have. All take text or undefined.

export const text = (fallback?: string) =>
  z
    .string('expected a text')
    .optional()
    .transform((value) => value ?? fallback);

export const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false', '1', '0'], 'expected true or false')
    .optional()
    .transform((value) => (value === undefined ? fallback : value === 'true' || value === '1'));

/** An integer in [minimum, maximum]. */
export const integer = (fallback: number, minimum: number, maximum: number) => {
  const expected = `expected an integer from ${minimum} to ${maximum}`;
  return z
    .string()
    .regex(/^-?\d{1,15}$/, expected)
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, expected)
    .optional()
    .transform((value) => value ?? fallback);
};

export const port = (fallback: number) => integer(fallback, 0, 65_535);

/** One to `maximum` ports, separated by spaces or commas; 0 is a free one. */
export const ports = (fallback: readonly number[], maximum: number) => {
  const expected = `expected 1 to ${maximum} ports, from 0 to 65535 each`;
  return z
    .string()
    .regex(/^\s*\d{1,5}(?:[\s,]+\d{1,5})*\s*$/u, expected)
    .transform((value): readonly number[] =>
      value
        .trim()
        .split(/[\s,]+/u)
        .map(Number),
    )
    .refine(({ length }) => length <= maximum, expected)
    .refine((values) => values.every((value) => value <= 65_535), expected)
    .optional()
    .transform((value) => value ?? fallback);
};

/** Words separated by spaces or commas. */
export const words = (fallback: readonly string[]) =>
  z
    .string()
    .optional()
    .transform((value): readonly string[] =>
      value === undefined ? fallback : value.split(/[\s,]+/u).filter((word) => word !== ''),
    );

/** A URL of one of these protocols ("ws", "https", "postgres"), without a trailing slash. */
export const url = (protocols: readonly string[], fallback?: string) =>
  z
    .string()
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol.slice(0, -1)),
      `expected a URL beginning with ${protocols.map((protocol) => `${protocol}://`).join(' or ')}`,
    )
    .transform((value) => value.replace(/\/+$/u, ''))
    .optional()
    .transform((value) => value ?? fallback);

export const choice = <const T extends string>(choices: readonly [T, ...T[]], fallback: T) =>
  z
    .enum(choices, `expected one of ${choices.join(', ')}`)
    .optional()
    .transform((value): T => value ?? fallback);

export const logLevel = choice(['debug', 'info', 'warn', 'error', 'silent'], 'info');
