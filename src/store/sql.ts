import type { ClientBase, CustomTypesConfig } from 'pg';
import pg from 'pg';
import { parseTimestamp } from './timestamptz.ts';

/** What a parameter may be. Times go through `formatTimestamp`, exact decimals are texts. */
type SqlValue = string | number | boolean | null;

/** A statement that is sent often: its name keeps it prepared on the connection. */
type Statement = {
  readonly name: string;
  readonly text: string;
  readonly values: readonly SqlValue[];
};

/**
 * Asks Postgres over one connection. As a template tag it makes parameters of the values and answers
 * the rows: sql`select … where name = ${name}`. timestamptz comes as microseconds, int8 as a number,
 * numeric as a text.
 */
export interface Sql {
  <Row extends object = Record<string, unknown>>(
    text: TemplateStringsArray,
    ...values: readonly SqlValue[]
  ): Promise<Row[]>;
  /** Runs a statement with $1 …, or several without parameters; answers the last one's rows. */
  text<Row extends object = Record<string, unknown>>(
    text: string,
    values?: readonly SqlValue[],
  ): Promise<Row[]>;
  /** Runs a prepared statement; answers how many rows it changed. */
  run(statement: Statement): Promise<number>;
  /** Runs a prepared statement; answers its rows. */
  prepared<Row extends object>(statement: Statement): Promise<Row[]>;
}

export function sqlOver(client: ClientBase): Sql {
  const ask = async <Row extends object>(
    text: TemplateStringsArray,
    ...values: readonly SqlValue[]
  ): Promise<Row[]> => {
    const numbered = text.map((part, index) => (index === 0 ? part : `$${index}${part}`)).join('');
    return (await client.query<Row>(numbered, [...values])).rows;
  };
  return Object.assign(ask, {
    text: async <Row extends object>(text: string, values?: readonly SqlValue[]) =>
      (await client.query<Row>(text, values && [...values])).rows,
    run: async ({ name, text, values }: Statement) =>
      (await client.query({ name, text, values: [...values] })).rowCount ?? 0,
    prepared: async <Row extends object>({ name, text, values }: Statement) =>
      (await client.query<Row>({ name, text, values: [...values] })).rows,
  });
}

/** How columns are read, by the numbers that Postgres has for their types. */
const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<
  number,
  (text: string) => unknown
>([
  [pg.types.builtins.INT8, parseSafeInteger],
  [pg.types.builtins.TIMESTAMPTZ, parseTimestamp],
  // Without a zone they name no moment: left as they are.
  [pg.types.builtins.TIMESTAMP, String],
  [pg.types.builtins.DATE, String],
]);

/** What the columns of an answer are read as. */
export const sqlTypes: CustomTypesConfig = {
  getTypeParser: (oid: Parameters<typeof pg.types.getTypeParser>[0], format?: 'text' | 'binary') =>
    parsers.get(oid) ?? pg.types.getTypeParser(oid, format ?? 'text'),
};

function parseSafeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`Expected an integer that a number can hold, got ${text}`);
  }
  return value;
}
