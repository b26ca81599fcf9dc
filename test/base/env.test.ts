import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settingsAreRead, withEnvFile } from '../../src/base/env.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('what is set in the environment wins over the file', () => {
  const file = join(temporaryDirectory(), 'settings');
  writeFileSync(file, 'PORT=1\nHOST=::1\n');
  expect(withEnvFile({ PORT: '2' }, file)).toEqual({ PORT: '2', HOST: '::1' });
});

test('a .env is read where no file is named, but not by a program whose parent has read one', () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, '.env'), 'PORT=1\n');
  const before = process.cwd();
  process.chdir(directory);
  try {
    expect(withEnvFile({}, undefined)).toEqual({ PORT: '1' });
    expect(withEnvFile(settingsAreRead, undefined)).toEqual(settingsAreRead);
  } finally {
    process.chdir(before);
  }
});

test('a file that was named and is not there is an error that names it', () => {
  const file = join(temporaryDirectory(), 'none');
  expect(() => withEnvFile({}, file)).toThrow(`--env-file ${file}: ENOENT`);
});
