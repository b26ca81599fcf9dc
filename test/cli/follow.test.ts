import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Code, ConnectError } from '@connectrpc/connect';
import { expect, onTestFinished, test } from 'vitest';
import type { StreamCandlesResponse } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { systemClock } from '../../src/base/clock.ts';
import { openTimeOf } from '../../src/domain/timeframe.ts';
import type { Candle } from '../../src/domain/candle.ts';
import { candleToMessage } from '../../src/rpc/messages.ts';
import { aCandle } from '../support/a-candle.ts';
import { noon } from '../support/builders.ts';
import { startMarketStub, streamed } from './market-stub.ts';

const second = 1_000_000;
const at = (index: number, parts: Parameters<typeof aCandle>[0] = {}) =>
  aCandle({ timeframe: '1s', openTime: noon + index * second, ...parts });

/** What one connection of the stream does: its elements, and how it ends. */
type Connection = {
  readonly elements: readonly StreamCandlesResponse[];
  readonly end: 'unavailable' | 'outOfRange' | 'stay';
};

/**
 * A server whose stream's connections do as told, one after the other, and whose lists are candle 0,
 * or 'unavailable'.
 */
async function startFollowed(
  connections: readonly Connection[],
  lists: readonly (readonly Candle[] | 'unavailable')[] = [],
) {
  let listed = 0;
  const requests: { resumeAfter: string; includeOpen: boolean }[] = [];
  const stub = await startMarketStub({
    listCandles: () => {
      const list = lists[listed++] ?? [at(0)];
      if (list === 'unavailable') throw new ConnectError('no store', Code.Unavailable);
      return { candles: list.map(candleToMessage).toReversed(), cursor: 'c1.1.0.0' };
    },
    async *streamCandles({ resumeAfter, includeOpen }, { signal }) {
      const connection = connections[requests.length];
      requests.push({ resumeAfter, includeOpen });
      yield* connection?.elements ?? [];
      if (connection?.end === 'unavailable') throw new ConnectError('going down', Code.Unavailable);
      if (connection?.end === 'outOfRange') throw new ConnectError('too old', Code.OutOfRange);
      await once(signal, 'abort');
    },
  });
  onTestFinished(() => stub[Symbol.asyncDispose]());
  return { address: stub.address, requests };
}

/** Follows until `lines` lines are there, presses Ctrl-C, and answers them and the exit code. */
async function followUntil(lines: number, address: string, flags: readonly string[] = []) {
  const path = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
  const args = ['candles', 'BTCUSDT', '-t', '1s', '--follow', '--json', '--server', address];
  const child = spawn(process.execPath, [path, ...args, ...flags], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const printed: { open_time: string; revision: number; closed: boolean }[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    printed.push(JSON.parse(line));
    if (printed.length === lines) child.kill('SIGINT');
  }
  if (child.exitCode === null) await once(child, 'exit');
  const shown = printed.map(
    (candle) =>
      `${candle.open_time.slice(17, 19)} r${candle.revision}${candle.closed ? '' : ' open'}`,
  );
  return { shown, stderr, exitCode: child.exitCode };
}

test('goes on from the list, and Ctrl-C ends it with 0', async () => {
  const { address, requests } = await startFollowed([
    { elements: [streamed(at(1), 'c1.1.1.1'), streamed(at(2), 'c1.1.2.2')], end: 'stay' },
  ]);
  const { shown, stderr, exitCode } = await followUntil(3, address);
  expect(shown).toEqual(['00 r1', '01 r1', '02 r1']);
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  expect(requests).toEqual([{ resumeAfter: 'c1.1.0.0', includeOpen: false }]);
});

test('resumes where it was when the server went away, and says so', async () => {
  const { address, requests } = await startFollowed([
    { elements: [streamed(at(1), 'c1.1.1.1')], end: 'unavailable' },
    { elements: [streamed(at(2), 'c1.1.2.2')], end: 'stay' },
  ]);
  const { shown, stderr } = await followUntil(3, address);
  expect(shown).toEqual(['00 r1', '01 r1', '02 r1']);
  expect(stderr).toMatch(/^going down; connecting again in \d\.\d s\nConnected again\n$/u);
  expect(requests.map(({ resumeAfter }) => resumeAfter)).toEqual(['c1.1.0.0', 'c1.1.1.1']);
});

test('of what a restarted server repeats it prints only what is new', async () => {
  const repeat = { repeat: true };
  const again = at(1, { run: noon + 1 });
  const { address } = await startFollowed([
    { elements: [streamed(at(1), 'c1.1.1.1')], end: 'unavailable' },
    {
      elements: [
        streamed(at(-1), 'c1.2.1.1', repeat), // from before the list
        streamed(again, 'c1.2.2.2', repeat), // the same, in the server's new life
        streamed({ ...again, tradeCount: again.tradeCount + 1, revision: 2 }, 'c1.2.3.3', repeat),
        streamed(at(2), 'c1.2.4.4', repeat),
      ],
      end: 'stay',
    },
  ]);
  const { shown } = await followUntil(4, address);
  expect(shown).toEqual(['00 r1', '01 r1', '01 r2', '02 r1']);
});

test('a revision of a candle is printed again', async () => {
  const { address } = await startFollowed([
    { elements: [streamed(at(0, { revision: 2 }), 'c1.1.1.1')], end: 'stay' },
  ]);
  expect((await followUntil(2, address)).shown).toEqual(['00 r1', '00 r2']);
});

test('lists again when the server no longer knows where it was', async () => {
  const { address, requests } = await startFollowed([
    { elements: [], end: 'outOfRange' },
    { elements: [streamed(at(1), 'c1.1.1.1')], end: 'stay' },
  ]);
  expect((await followUntil(2, address)).shown).toEqual(['00 r1', '01 r1']);
  expect(requests).toHaveLength(2);
});

test('open candles come only when they are asked for', async () => {
  const elements = [
    streamed(at(1, { isClosed: false, revision: 0 }), 'c1.1.1.1'),
    streamed(at(1), 'c1.1.2.2'),
  ];
  const { address, requests } = await startFollowed([{ elements, end: 'stay' }]);
  const { shown } = await followUntil(3, address, ['--open']);
  expect(shown).toEqual(['00 r1', '01 r0 open', '01 r1']);
  expect(requests).toEqual([{ resumeAfter: 'c1.1.0.0', includeOpen: true }]);
});

test('says that it is connected again also where it had to list again', async () => {
  const { address } = await startFollowed(
    [
      { elements: [streamed(at(1), 'c1.1.1.1')], end: 'unavailable' },
      { elements: [], end: 'outOfRange' },
      { elements: [streamed(at(4), 'c1.2.1.1')], end: 'stay' },
    ],
    [[at(0)], [at(1), at(2), at(3)]],
  );
  const { shown, stderr } = await followUntil(5, address);
  expect(shown).toEqual(['00 r1', '01 r1', '02 r1', '03 r1', '04 r1']);
  expect(stderr).toMatch(/^going down; connecting again in \d\.\d s\nConnected again\n$/u);
});

test('what a server publishes of the past as it reads its history is not printed', async () => {
  const past = Array.from({ length: 5 }, (_, index) => streamed(at(index - 9), `c1.2.${index}.1`));
  const { address } = await startFollowed([
    { elements: [...past, streamed(at(1), 'c1.2.9.1')], end: 'stay' },
  ]);
  expect((await followUntil(2, address)).shown).toEqual(['00 r1', '01 r1']);
});

test('follows also a server that cannot list, and says what is missing', async () => {
  // Without a list it begins with the candle that is open now.
  const now = openTimeOf('1s', systemClock.now());
  const next = (index: number) => at(0, { openTime: now + (index + 60) * second });
  const { address, requests } = await startFollowed(
    [
      {
        elements: [
          streamed(next(-3_600), 'c1.1.0.0'),
          streamed(next(0), 'c1.1.1.1'),
          streamed(next(1), 'c1.1.2.2'),
        ],
        end: 'stay',
      },
    ],
    ['unavailable', 'unavailable'],
  );
  const { shown, stderr, exitCode } = await followUntil(2, address);
  expect([shown.length, exitCode]).toEqual([2, 0]);
  expect(stderr).toBe('What closed before cannot be listed now (no store); following\n');
  expect(requests).toEqual([{ resumeAfter: '', includeOpen: false }]);
});
