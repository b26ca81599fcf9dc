import { pino } from 'pino';
import { expect, test } from 'vitest';
import { advertisedUrl } from '../../src/server/advertised-url.ts';
import { readServerConfig } from '../../src/server/config.ts';

const own = 'http://127.0.0.1:8080';

test.each([
  ['127.0.0.1', {}, own, 0],
  ['0.0.0.0', {}, own, 1],
  ['::', {}, own, 1],
  ['0.0.0.0', { ADVERTISED_URL: 'http://orders-2:8080' }, 'http://orders-2:8080', 0],
])('who listens at %s with %j is told to others as %s', (host, environment, expected, warnings) => {
  const lines: string[] = [];
  const logger = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
  const config = readServerConfig({ HOST: host, ALLOW_UNAUTHENTICATED: 'true', ...environment });
  expect(advertisedUrl(config, own, logger)).toBe(expected);
  expect(lines.filter((line) => line.includes('set ADVERTISED_URL'))).toHaveLength(warnings);
});
