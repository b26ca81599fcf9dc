#!/usr/bin/env -S node --
import { Command, Option } from 'commander';
import { readAddresses } from './base/addresses.ts';
import { envFileFlag } from './base/env.ts';
import { version } from './base/program.ts';
import { readCliConfig } from './cli/config.ts';
import { csvLine } from './cli/csv.ts';
import { Failure } from './cli/failure.ts';
import { runCommand } from './cli/run-command.ts';
import { Table } from './cli/table.ts';
import { writeLines } from './cli/write-lines.ts';
import { askDatabase } from './store/ask.ts';
import type { Answer, ColumnKind } from './store/ask.ts';
import { describeDatabaseError } from './store/database-error.ts';

type Options = { readonly json?: true; readonly csv?: true; readonly envFile?: string };

const command = new Command('sql')
  .description('Ask the Postgres that npm start runs')
  .version(version)
  .argument('<statement>', 'what to ask, in SQL')
  .addOption(new Option('--json', 'one JSON object a line').conflicts('csv'))
  .option('--csv', 'CSV with a header')
  .option(...envFileFlag)
  .showHelpAfterError()
  .addHelpText('after', '\nExample:\n  $ npm run --silent sql -- "select count(*) from candle"')
  .action(async (statement: string, options: Options) => {
    const { directory } = readCliConfig(process.env, options);
    const url = readAddresses(directory)?.database;
    if (url === undefined) {
      throw new Failure(`Nothing runs in ${directory}: start it with npm start`);
    }
    const answer = await askDatabase(url, statement).catch((error: unknown) => {
      throw new Failure(describeDatabaseError(error), { cause: error });
    });
    await writeLines(process.stdout, linesOf(answer, options));
  });

function linesOf(answer: Answer, { json, csv }: Options): Iterable<string> {
  const { columns, rows } = answer;
  if (csv === true) {
    const header = csvLine(columns.map(({ name }) => name));
    return [header, ...rows.map((row) => csvLine(row.map((value) => value ?? undefined)))];
  }
  if (json === true) {
    return rows.map((row) =>
      JSON.stringify(
        Object.fromEntries(
          columns.map(({ name, kind }, index) => [name, jsonOf(row[index] ?? null, kind)]),
        ),
      ),
    );
  }
  return columns.length === 0 ? [answer.tag] : tableOf(answer);
}

/** Decimals stay texts: as JSON numbers their readers would round them. */
function jsonOf(value: string | null, kind: ColumnKind): string | number | boolean | null {
  if (value === null) return null;
  if (kind === 'boolean') return value === 't';
  return kind === 'integer' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function tableOf({ columns, rows }: Answer): string[] {
  const table = new Table(
    columns.map(({ name, kind }) => ({
      title: name,
      align: kind === 'integer' || kind === 'decimal' ? 'right' : 'left',
    })),
  );
  const cells = rows.map((row) => row.map((value) => value ?? ''));
  for (const row of cells) table.fit(row);
  return [table.header(), ...cells.map((row) => table.line(row))];
}

await runCommand(command, process.argv.slice(2));
