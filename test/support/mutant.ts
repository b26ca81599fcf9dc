import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const source = fileURLToPath(new URL('../../src/', import.meta.url));

/** One deliberate mistake: `find` stands exactly once in `file` and becomes `replace`. */
export type Mutation = { readonly file: string; readonly find: string; readonly replace: string };

/**
 * Copies parts of src/ to a folder of its own, makes the mistake there, and imports a module of the
 * copy, so that a test can show that it would notice.
 */
export async function importMutant<Module>(
  parts: readonly string[],
  module: string,
  { file, find, replace }: Mutation,
): Promise<{ module: Module } & AsyncDisposable> {
  const directory = await mkdtemp(join(tmpdir(), 'tradewind-mutant-'));
  for (const part of parts)
    await cp(join(source, part), join(directory, part), { recursive: true });
  const text = await readFile(join(directory, file), 'utf8');
  if (text.split(find).length !== 2)
    throw new Error(`Expected ${JSON.stringify(find)} once in ${file}`);
  await writeFile(
    join(directory, file),
    text.replace(find, () => replace),
  );
  const url = pathToFileURL(join(directory, module)).href;
  return {
    module: (await import(/* @vite-ignore */ url)) as Module,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true }),
  };
}
