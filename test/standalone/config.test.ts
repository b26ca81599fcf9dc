import { expect, test } from 'vitest';
import { withEnvFile } from '../../src/base/env.ts';
import { readStandaloneConfig } from '../../src/standalone/config.ts';

test('its programs are given what was read, and read no settings file themselves', () => {
  const { environment } = readStandaloneConfig({ MAX_READERS: '7' }, {});
  expect(environment).toMatchObject({ MAX_READERS: '7' });
  expect(withEnvFile(environment, undefined)).toBe(environment);
});

test.each([
  [{}, {}, 'TEST'],
  [{}, { live: true }, 'LIVE'],
  [{ MODE: 'LIVE' }, {}, 'LIVE'],
])('%j with the flags %j is %s', (environment, flags, mode) => {
  expect(readStandaloneConfig(environment, flags).mode).toBe(mode);
});
