import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export type Document = {
  /** From the root of the repository: "docs/candles.md". */
  readonly path: string;
  readonly text: string;
};

export type CodeBlock = {
  /** "sh", "ts"; empty where none is named. */
  readonly language: string;
  readonly text: string;
};

export function readDocument(path: string): Document {
  return { path, text: readFileSync(`${root}${path}`, 'utf8') };
}

/** Everything that is written for people. */
export const documents: readonly Document[] = globSync(['*.md', 'docs/**/*.md'], { cwd: root })
  .toSorted()
  .map(readDocument);

export function codeBlocks({ text }: Document): readonly CodeBlock[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gmu)].map(
    ([, language = '', block = '']) => ({ language, text: block }),
  );
}

/** The text below a heading, to the next one of any level. */
export function section({ path, text }: Document, heading: string): string {
  const [, body] = text.split(`\n${heading}\n`);
  if (body === undefined) throw new Error(`Expected ${path} to have the heading ${heading}`);
  return body.split(/^#{1,6} /mu)[0] ?? '';
}

/** The cells of all tables' rows, without the header's. */
export function tableRows(text: string): readonly (readonly string[])[] {
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  return lines
    .filter((line, index) => !isRule(line) && !isRule(lines[index + 1] ?? ''))
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    );
}

const isRule = (line: string) => /^\|[-:| ]+\|$/u.test(line);

/** What is written `like this` outside of code blocks, in order. */
export function quoted(text: string): readonly string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/gmu, '');
  return [...prose.matchAll(/`([^`]+)`/gu)].map(([, code = '']) => code);
}
