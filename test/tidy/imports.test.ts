import { describe, expect, test } from 'vitest';
import { importsOf, sourceFiles } from './source-files.ts';
import type { Import } from './source-files.ts';

/**
 * Who may import whom in src/, besides itself: a part ("base"), or one file of it ("rpc/client");
 * "type store" allows `import type` alone. The programs are the files directly in src/.
 */
const allowed: Readonly<Record<string, readonly string[]>> = {
  base: [],
  domain: ['base'],
  // What orders ask of their log is described beside those who ask.
  store: ['base', 'domain', 'type order'],
  exchange: ['base', 'domain'],
  market: ['base', 'domain'],
  order: ['base', 'domain'],
  position: ['base', 'domain', 'type store'],
  rpc: ['base', 'domain', 'market', 'order', 'position', 'store', 'gen'],
  server: ['base', 'domain', 'exchange', 'market', 'order', 'position', 'rpc', 'store', 'gen'],
  // A client: it knows of the server what any other client does. Requests are made of gen's types.
  cli: [
    'base',
    'domain',
    'rpc/client',
    'rpc/messages',
    'rpc/order/order-messages',
    'rpc/position/position-messages',
    'gen',
  ],
  persistor: ['base', 'domain', 'store', 'rpc/client', 'rpc/messages', 'gen'],
  // Wired like the server, and prints like the command line: orders as the service shows them.
  replay: [
    'base',
    'domain',
    'exchange',
    'market',
    'order',
    'cli',
    'rpc/order/order-messages',
    'rpc/order/order-waiting',
    'gen',
  ],
  simulator: ['base', 'domain'],
  // Starts the programs as processes, Postgres too; it is none of them.
  standalone: ['base', 'store'],
  programs: ['base', 'cli', 'persistor', 'replay', 'server', 'simulator', 'standalone', 'store'],
};

/** What is kept out although its part is let in. */
const forbidden: Readonly<Record<string, readonly string[]>> = {
  // Its klines are what the candle code is held against.
  simulator: ['domain/candle', 'domain/candle-sum'],
};

/** Packages that only these parts know. */
const packages: readonly (readonly [pattern: RegExp, parts: readonly string[]])[] = [
  [/^@bufbuild\//u, ['rpc']],
  // Clients meet its errors.
  [/^@connectrpc\//u, ['rpc', 'cli', 'persistor']],
  [/^(?:pg|postgres|node-pg-migrate)(?:\/|$)/u, ['store']],
  [/^ws$/u, ['exchange', 'simulator']],
];

const imports = sourceFiles('src').flatMap(importsOf);
const edges = imports
  .filter(({ specifier }) => specifier.startsWith('.'))
  .map((each) => ({ ...each, from: partOf(each.file), to: partOf(each.target) }))
  .filter(({ from, to }) => from !== to);

describe('in src', () => {
  test('there are imports to look at', () => {
    expect(edges.length).toBeGreaterThan(100);
  });

  test('every part is known', () => {
    const parts = new Set(sourceFiles('src').map(({ path }) => partOf(path)));
    expect([...parts].filter((part) => !(part in allowed))).toEqual([]);
  });

  test('every part imports only what it may', () => {
    const wrong = edges.filter(({ from, to, ...each }) => !isAllowed(from, to, each));
    expect(wrong.map(described)).toEqual([]);
  });

  test('parts do not import each other in circles', () => {
    // Whoever imports none of the rest is taken out, again and again; a circle is what stays.
    let rest = Object.keys(allowed);
    let before: number;
    do {
      before = rest.length;
      const importsRest = (part: string) =>
        edges.some(({ from, to }) => from === part && rest.includes(to));
      rest = rest.filter(importsRest);
    } while (rest.length < before);
    expect(rest).toEqual([]);
  });

  test('packages stay where they belong', () => {
    const wrong = imports.filter(({ file, target }) =>
      packages.some(([pattern, parts]) => pattern.test(target) && !parts.includes(partOf(file))),
    );
    expect(wrong.map(described)).toEqual([]);
  });
});

test('a relative import ends in the name of a file', () => {
  const all = ['src', 'test', 'bench'].flatMap(sourceFiles).flatMap(importsOf);
  const wrong = all.filter(
    ({ specifier }) => specifier.startsWith('.') && !/\.(?:ts|mjs|json)$/u.test(specifier),
  );
  expect(wrong.map(described)).toEqual([]);
});

test.each<[what: string, text: string, expected: readonly Partial<Import>[]]>([
  ['a value', `import { a } from './b.ts';`, [{ target: 'src/x/b.ts', isTypeOnly: false }]],
  ['a type', `import type { A } from '../y/b.ts';`, [{ target: 'src/y/b.ts', isTypeOnly: true }]],
  ['several lines', `import {\n  a,\n  b,\n} from 'pg';`, [{ target: 'pg' }]],
  ['one that goes on', `export { a } from './b.ts';`, [{ target: 'src/x/b.ts' }]],
  ['an effect', `import './b.ts';`, [{ target: 'src/x/b.ts' }]],
  ['a late one', `const b = await import('./b.ts');`, [{ target: 'src/x/b.ts' }]],
  ['none', `const from = 'a';\nexport const b = "from 'c'";`, []],
])('the test sees an import of %s', (_, text, expected) => {
  expect(importsOf({ path: 'src/x/a.ts', text })).toMatchObject(expected);
});

/** "base" of "src/base/clock.ts", "programs" of "src/server.ts", "gen" of "gen/…". */
function partOf(path: string): string {
  const [top = '', part = '', ...rest] = path.split('/');
  if (top !== 'src') return top;
  return rest.length === 0 ? 'programs' : part;
}

function isAllowed(from: string, to: string, { target, isTypeOnly }: Import): boolean {
  const file = target.replace(/^src\//u, '').replace(/\.ts$/u, '');
  if (forbidden[from]?.includes(file) === true) return false;
  return (allowed[from] ?? []).some(
    (one) => one === to || one === file || (isTypeOnly && one === `type ${to}`),
  );
}

function described({ file, specifier }: Import): string {
  return `${file} imports ${specifier}`;
}
