import { expect, test } from 'vitest';
import { keptFiles, read } from './source-files.ts';

type Dependencies = Readonly<Record<string, string>>;
type Manifest = {
  readonly [kind in (typeof kinds)[number]]?: Dependencies;
};
type Lock = {
  readonly packages: Readonly<Record<string, Manifest & { readonly resolved?: string }>>;
};

const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'] as const;
const manifest = JSON.parse(read('package.json')) as Manifest;
const lock = JSON.parse(read('package-lock.json')) as Lock;

test('every dependency has one exact version', () => {
  const versions = kinds.flatMap((kind) => Object.entries(manifest[kind] ?? {}));
  expect(versions.length).toBeGreaterThan(10);
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/u.test(version))).toEqual(
    [],
  );
});

test.each(kinds)('the lock file has the %s of package.json', (kind) => {
  expect(lock.packages['']?.[kind]).toEqual(manifest[kind]);
});

test('the lock file names no host to fetch a package from', () => {
  const resolved = Object.entries(lock.packages).filter(
    ([, entry]) => entry.resolved !== undefined,
  );
  expect(resolved.map(([name]) => name)).toEqual([]);
});

test('programs are started so that Node leaves --env-file to them', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const starts = Object.values(scripts).filter((script) => script.includes('src/'));
  expect(starts.length).toBeGreaterThan(5);
  expect(starts.filter((script) => !/^(?:exec )?node -- src\//u.test(script))).toEqual([]);
  const programs = keptFiles().filter(({ path }) => /^src\/\w+\.ts$/u.test(path));
  expect(programs.filter(({ text }) => !text.startsWith('#!/usr/bin/env -S node --\n'))).toEqual(
    [],
  );
});

/** The registry that npm was told to use, which is nobody's business but this machine's. */
const registry = URL.parse(process.env['npm_config_registry'] ?? '')?.host;

test('no file names a machine or its registry', () => {
  const places =
    /(?<![\w.:/])\/(?:root|work|home\/\w+|Users\/\w+)\/|\b(?:registry\.npm|artifactory|verdaccio)/u;
  const wrong = keptFiles()
    .filter(({ path }) => path !== 'test/tidy/repository.test.ts')
    .filter(({ text }) => places.test(text) || (registry !== undefined && text.includes(registry)));
  expect(wrong.map(({ path }) => path)).toEqual([]);
});
