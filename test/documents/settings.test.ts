import { expect, test } from 'vitest';
import type { Settings } from '../../src/base/env.ts';
import { cliSettings } from '../../src/cli/config.ts';
import { persistorSettings } from '../../src/persistor/config.ts';
import { serverSettings } from '../../src/server/config.ts';
import { simulatorSettings } from '../../src/simulator/config.ts';
import { standaloneSettings } from '../../src/standalone/config.ts';
import { quoted, readDocument, section, tableRows } from './document.ts';

const configuration = readDocument('docs/configuration.md');

/** A program's settings as the document tells them: what is called how, and the default. */
type Told = Readonly<Record<string, { aliases: readonly string[]; default: string }>>;

test.each<[heading: string, settings: Settings]>([
  ['## Server', serverSettings],
  ['## Persistor', persistorSettings],
  ['## Simulator', simulatorSettings],
  ['## Everything at once (`npm start`)', standaloneSettings],
  ['## Command line', cliSettings],
])('the table below "%s" has every setting with its default, and no other', (heading, settings) => {
  expect(toldBelow(heading)).toEqual(toldBy(settings));
});

test('every row says a unit and what happens', () => {
  const rows = tableRows(configuration.text).filter(([key]) => /^`[A-Z]/u.test(key ?? ''));
  expect(rows.length).toBeGreaterThan(40);
  expect(rows.filter((cells) => cells.length !== 4 || cells.includes(''))).toEqual([]);
});

function toldBelow(heading: string): Told {
  const rows = tableRows(section(configuration, heading)).flatMap(([key = '', fallback = '']) => {
    const [keys = '', also = ''] = key.split(', also ');
    const value = { aliases: quoted(also), default: quoted(fallback)[0] ?? fallback };
    // One row may tell of several keys that differ in nothing but their name.
    return quoted(keys).map((name) => [name, value] as const);
  });
  expect(new Set(rows.map(([name]) => name)).size).toBe(rows.length);
  return Object.fromEntries(rows);
}

function toldBy(settings: Settings): Told {
  return Object.fromEntries(
    Object.entries(settings).map(([key, { schema, aliases = [] }]) => {
      const result = schema.safeParse(undefined);
      return [key, { aliases, default: result.success ? show(result.data) : 'required' }];
    }),
  );
}

function show(value: unknown): string {
  const words = Array.isArray(value) ? value : [value ?? ''];
  return words.join(' ') || '–';
}
