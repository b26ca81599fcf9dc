import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { takeLock } from '../../src/standalone/lock.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';

test('a lock is held by one, and can be taken again when it is released', () => {
  const directory = join(temporaryDirectory(), 'made', 'when missing');
  const first = takeLock(directory);
  if (!first.isOurs) throw new Error('Expected the lock');
  expect(takeLock(directory)).toEqual({ isOurs: false, pid: process.pid });
  first.release();
  expect(readdirSync(directory)).toEqual([]);
  expect(takeLock(directory).isOurs).toBe(true);
  expect(readdirSync(directory)).toEqual(['lock']);
});

test.each([
  ['of a process that is gone', () => ({ pid: deadPid(), born: '1' })],
  ['of a process whose number has another one now', () => ({ pid: process.pid, born: '1' })],
  ['that says nothing', () => 'what?'],
  ['that is empty', () => undefined],
])('a lock %s does not count', (_, content) => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'lock'), JSON.stringify(content()) ?? '');
  expect(takeLock(directory).isOurs).toBe(true);
  expect(readdirSync(directory)).toEqual(['lock']);
});

function deadPid(): number {
  return spawnSync('true').pid;
}
