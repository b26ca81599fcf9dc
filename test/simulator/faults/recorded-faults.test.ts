import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../../support/temporary-directory.ts';
import { aSimulator, noon } from '../a-simulator.ts';
import { pass, settled, trades } from './events.ts';

test('a recording holds what was really sent, in the order and at the time of its sending', async () => {
  const file = join(temporaryDirectory(), 'frames.txt');
  const twin = await aSimulator({ recordFile: file });
  const client = await twin.connect('/stream?streams=bnbusdt@aggTrade');
  const inject = (first: number, count: number) =>
    twin.control({ action: 'inject', symbol: 'BNBUSDT', frames: trades(first, count) });
  const first = 5_000_000_000;
  await inject(first, 1);
  await twin.control({ action: 'drop', count: 1 });
  await inject(first + 1, 1);
  await twin.control({ action: 'delay', count: 1, delayMs: 1_000 });
  await inject(first + 2, 1);
  await twin.control({ action: 'duplicate', count: 1 });
  await inject(first + 3, 1);
  await pass(twin, 2);
  await twin.control({ action: 'alter', count: 1, change: { p: '1' } });
  await inject(first + 4, 1);
  await twin.control({ action: 'stall' });
  await inject(first + 5, 1);
  const sent = await settled(client);
  expect(sent).toHaveLength(5);
  const garbage = ['{"e":"strange"}', 'no json', { binary: 'AAEC' }, 'two\nlines'];
  await twin.control({ action: 'garbage', frames: garbage });
  await twin.control({ action: 'vanish' });
  await twin.control({ action: 'clear', kind: 'stall' });
  await inject(first + 6, 1);
  await twin.simulator[Symbol.asyncDispose]();
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
  const times = lines.map((line) => Number(line.split(' ')[0]));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const isDelayed = (line: string) => line.includes(`"a":${first + 2},`);
  const delayed = Number(lines.find(isDelayed)?.split(' ')[0]?.slice(0, -3));
  expect(delayed).toBeGreaterThanOrEqual(noon + 1_000_000);
  expect(delayed).toBeLessThan(noon + 1_020_000);
  const texts = lines.map((line) => line.slice(line.indexOf(' ') + 1));
  const unrecorded = (bytes: number) =>
    `{"stream":"!simulator","data":{"e":"unrecorded","bytes":${bytes}}}`;
  expect(texts).toEqual([
    ...sent.map((event) => JSON.stringify(event)),
    '{"e":"strange"}',
    'no json',
    unrecorded(5),
    unrecorded(11),
  ]);
});
