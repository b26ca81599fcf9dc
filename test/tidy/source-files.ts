import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export type SourceFile = {
  /** From the root of the repository: "src/base/clock.ts". */
  readonly path: string;
  readonly text: string;
};

/** An `import` or `export … from`; a dynamic one, too, where its target is written out. */
export type Import = {
  readonly file: string;
  /** As it is written. */
  readonly specifier: string;
  /** What a relative one means, from the root: "src/base/clock.ts"; a package's name otherwise. */
  readonly target: string;
  readonly isTypeOnly: boolean;
};

/** All TypeScript files below a folder, whether or not git knows them yet. */
export function sourceFiles(folder: string): readonly SourceFile[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join(folder, path))
    .toSorted()
    .map((path) => ({ path, text: read(path) }));
}

/** The text files that git keeps, or would keep with the next commit. */
export function keptFiles(): readonly SourceFile[] {
  const list = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  return list
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .map((path) => ({ path, text: read(path) }))
    .filter(({ text }) => !text.includes('\0'));
}

export function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function importsOf({ path, text }: SourceFile): readonly Import[] {
  return [...text.matchAll(importPattern)].map((match) => {
    const { specifier = '', isType, dynamic, bare } = match.groups ?? {};
    const written = dynamic ?? bare ?? specifier;
    return {
      file: path,
      specifier: written,
      target: written.startsWith('.') ? normalize(join(dirname(path), written)) : written,
      isTypeOnly: isType !== undefined,
    };
  });
}

const importPattern = new RegExp(
  [
    String.raw`^(?:import|export)\s(?<isType>type\s)?[^;'"]*?\sfrom\s+'(?<specifier>[^']+)'`,
    String.raw`^import\s+'(?<bare>[^']+)'`,
    String.raw`\bimport\(\s*'(?<dynamic>[^']+)'`,
  ].join('|'),
  'gmu',
);
