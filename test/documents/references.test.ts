import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { documents, quoted, readDocument, root, section, tableRows } from './document.ts';

const { scripts } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  scripts: Readonly<Record<string, string>>;
};
const npmsOwn = ['install', 'start', 'test', 'run', 'link'];

describe.each(documents)('$path', ({ path, text }) => {
  test('names only files and folders that there are', () => {
    const named = quoted(text).filter((code) =>
      /^(?:\.ci|\.github|bench|docs|gen|migrations|proto|scripts|src|test|third_party)\/[\w.*/-]+$/u.test(
        code,
      ),
    );
    expect(named.filter((name) => globSync(name, { cwd: root }).length === 0)).toEqual([]);
  });

  test('links only to what there is', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)\s]+)\)/gu)].map(([, link = '']) => link);
    expect(links.filter((link) => !isThere(path, link))).toEqual([]);
  });

  test('names only npm scripts that there are', () => {
    const named = [...text.matchAll(/\bnpm (?:run (?:--silent )?)?([a-z][\w:-]*)/gu)]
      .map(([, name = '']) => name)
      .filter((name) => name !== 'packages');
    expect(named.filter((name) => !(name in scripts) && !npmsOwn.includes(name))).toEqual([]);
  });
});

describe('the README’s map', () => {
  const map = section(readDocument('README.md'), '## A map of the code');
  const entries = readdirSync(`${root}src`, { withFileTypes: true });

  test('has every folder of src, each in one row', () => {
    const told = tableRows(map).flatMap(([where = '']) => quoted(where));
    const folders = entries.filter((each) => each.isDirectory()).map(({ name }) => `src/${name}`);
    expect(told.filter((path) => path.startsWith('src/')).toSorted()).toEqual(folders.toSorted());
  });

  test('names every program', () => {
    const told = quoted(map).filter((code) => /^src\/\w+\.ts$/u.test(code));
    const programs = entries.filter((each) => each.isFile()).map(({ name }) => `src/${name}`);
    expect(told.toSorted()).toEqual(programs.toSorted());
  });
});

/** A file, or a heading of one: "docs/candles.md#versions". */
function isThere(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (!existsSync(`${root}${path}`)) return false;
  return anchor === undefined || anchorsOf(readDocument(path).text).includes(anchor);
}

/** As GitHub makes them of headings. */
function anchorsOf(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.+)$/gmu)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\w\- ]/gu, '')
      .replaceAll(' ', '-'),
  );
}
