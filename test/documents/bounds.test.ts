import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BackoffBounds } from '../../src/base/backoff.ts';
import { defaultFeedBounds } from '../../src/exchange/feed-settings.ts';
import { defaultTcpFeedBounds } from '../../src/exchange/json-lines/tcp-feed-settings.ts';
import { marketLimits } from '../../src/market/market-limits.ts';
import { listenerLimits } from '../../src/rpc/listener/listener-limits.ts';
import type { serverSettings } from '../../src/server/config.ts';
import { quoted, readDocument, root, tableRows } from './document.ts';

const [, ...parts] = readDocument('docs/bounds.md').text.split(/^\*\*/mu);
/** The rows below "**`src/…`**" or "**Elsewhere**". */
const rowsBelow = (title: string) =>
  tableRows(parts.find((part) => part.startsWith(title)) ?? '').map(
    ([name = '', fallback = '']) => [name, fallback] as const,
  );

/** What the server sets from its configuration, whatever the default beside it is. */
const settings: Readonly<Record<string, keyof typeof serverSettings>> = {
  readMaxBytes: 'MAX_MESSAGE_BYTES',
  maxConcurrentStreams: 'MAX_STREAMS_PER_CONNECTION',
  maxConnections: 'MAX_CONNECTIONS',
  maxConnectionsPerAddress: 'MAX_CONNECTIONS_PER_ADDRESS',
  maximumRetained: 'MAX_RETAINED_CANDLES',
  restTimeoutMs: 'REST_TIMEOUT_MS',
};

describe('the bounds in docs/bounds.md', () => {
  test.each<[file: string, bounds: object]>([
    ['src/rpc/listener/listener-limits.ts', listenerLimits],
    ['src/market/market-limits.ts', marketLimits],
    ['src/exchange/feed-settings.ts', defaultFeedBounds],
    ['src/exchange/json-lines/tcp-feed-settings.ts', defaultTcpFeedBounds],
  ])('of %s are all there is, with their defaults', (file, bounds) => {
    const expected = Object.entries(bounds)
      .filter(([, value]) => typeof value !== 'string')
      .map(([name, value]) => [`\`${name}\``, show(name, value)] as const);
    expect(Object.fromEntries(rowsBelow(`\`${file}\``))).toEqual(Object.fromEntries(expected));
  });

  test('elsewhere are as the code has them', () => {
    const rows = rowsBelow('Elsewhere');
    expect(rows.length).toBeGreaterThan(20);
    for (const [where, fallback] of rows) {
      const [name = '', file = ''] = quoted(where);
      expect([where, fallback]).toEqual([where, constantIn(file, name)]);
    }
  });
});

function show(name: string, value: unknown): string {
  const setting = settings[name];
  if (setting !== undefined) return `\`${setting}\``;
  if (typeof value === 'number') return count(value);
  const { minimumMs, maximumMs } = value as BackoffBounds;
  return `${count(minimumMs)} to ${count(maximumMs)}`;
}

/** The value of `const name = 5 * 1024;`, as the document writes numbers. */
function constantIn(file: string, name: string): string {
  const source = readFileSync(`${root}${file}`, 'utf8');
  const pattern = new RegExp(`^(?:export )?const ${name}(?:: \\w+)? = ([\\d_ *]+);`, 'mu');
  const factors = pattern.exec(source)?.[1]?.split('*') ?? [];
  if (factors.length === 0) return `is not in ${file}`;
  return count(factors.reduce((product, text) => product * Number(text.replaceAll('_', '')), 1));
}

const count = (value: number) => value.toLocaleString('en');
