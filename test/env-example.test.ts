import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Settings } from '../src/base/env.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const example = readFileSync(`${root}.env.example`, 'utf8');

/** All settings of all programs: every exported table of them in a config.ts. */
async function settingsOf(file: string): Promise<[string, Settings[string]][]> {
  const module = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
  return Object.values(module)
    .filter(isSettings)
    .flatMap((settings) => Object.entries(settings));
}

function isSettings(value: unknown): value is Settings {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries: unknown[] = Object.values(value);
  return (
    entries.length > 0 &&
    entries.every(
      (entry) =>
        typeof entry === 'object' && entry !== null && 'schema' in entry && 'description' in entry,
    )
  );
}

const files = globSync('src/*/config.ts', { cwd: root });
const settings = (await Promise.all(files.map((file) => settingsOf(`${root}${file}`)))).flat();
const exampleKeys = [...example.matchAll(/^#?\s?([A-Z][A-Z0-9_]*)=/gmu)].map((match) => match[1]);

describe('.env.example', () => {
  test('names each key of each program once, and no other', () => {
    const keys = new Set(settings.map(([key]) => key));
    expect(new Set(exampleKeys)).toEqual(keys);
    expect(exampleKeys).toHaveLength(keys.size);
  });

  test('changes nothing as it is: every key is commented out', () => {
    expect(example.split('\n').filter((line) => line !== '' && !line.startsWith('#'))).toEqual([]);
  });

  test.each(settings)('says every default of %s', (key, { schema }) => {
    const [, comment = ''] = new RegExp(`((?:^# .*\\n)*)^# ${key}=`, 'mu').exec(example) ?? [];
    const [, shown] = new RegExp(`^# ${key}=(.*)$`, 'mu').exec(example) ?? [];
    const fallback = show(schema.safeParse(undefined));
    if (fallback !== shown) expect(comment.replaceAll('\n# ', ' ')).toContain(fallback);
  });

  test.each(settings)('shows a default of %s', (key, { schema }) => {
    const value = new RegExp(`^# ${key}=(.*)$`, 'mu').exec(example)?.[1];
    const defaults = settings
      .filter(([other]) => other === key)
      .map(([, other]) => show(other.schema.safeParse(undefined)));
    expect(defaults).toContain(value);
    // The value that is shown can be used as it is.
    if (value !== '') expect(schema.safeParse(value).success).toBe(true);
  });
});

/** A default as it is written in a file; nothing where there is none. */
function show(result: { readonly success: boolean; readonly data?: unknown }): string {
  if (!result.success || result.data === undefined) return '';
  if (Array.isArray(result.data)) return result.data.join(' ');
  return typeof result.data === 'string' ? result.data : JSON.stringify(result.data);
}
