import pg from 'pg';

/** A decimal is a number that JSON's readers would round. */
export type ColumnKind = 'text' | 'integer' | 'decimal' | 'boolean';

/** What Postgres answered to a statement that a person typed. */
export type Answer = {
  readonly columns: readonly { readonly name: string; readonly kind: ColumnKind }[];
  /** Values as Postgres writes them; null is NULL. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** What was done and to how many rows: "INSERT 3". */
  readonly tag: string;
};

const connectTimeoutMs = 5_000;

const { BOOL, INT2, INT4, INT8, OID, FLOAT4, FLOAT8, NUMERIC } = pg.types.builtins;
const kinds: ReadonlyMap<number, ColumnKind> = new Map<number, ColumnKind>([
  [BOOL, 'boolean'],
  ...[INT2, INT4, INT8, OID].map((type) => [type, 'integer'] as const),
  ...[FLOAT4, FLOAT8, NUMERIC].map((type) => [type, 'decimal'] as const),
]);

/**
 * Asks the database at `url`; of several statements the last one's answer counts.
 * @throws Error with Postgres' own words
 */
export async function askDatabase(url: string, statement: string): Promise<Answer> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'tradewind-sql',
    connectionTimeoutMillis: connectTimeoutMs,
    options: '-c TimeZone=UTC -c DateStyle=ISO',
    types: { getTypeParser: () => String },
  });
  client.on('error', () => {});
  await client.connect();
  try {
    const results: unknown = await client.query({ text: statement, rowMode: 'array' });
    const last = (Array.isArray(results) ? results.at(-1) : results) as pg.QueryArrayResult<
      (string | null)[]
    >;
    return {
      columns: last.fields.map(({ name, dataTypeID }) => ({
        name,
        kind: kinds.get(dataTypeID) ?? 'text',
      })),
      rows: last.rows,
      tag: [last.command, last.rowCount].filter((word) => word !== null).join(' '),
    };
  } finally {
    await client.end();
  }
}
