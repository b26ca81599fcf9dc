import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import type { Clock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { ChildProcesses } from '../../src/base/child-processes.ts';
import { SupervisedProgram } from '../../src/base/supervised-program.ts';
import { eventually } from '../support/eventually.ts';
import { TwinClock } from '../support/twin-clock.ts';

function supervise(
  program: string,
  environment: Record<string, string>,
  clock: Clock = systemClock,
) {
  const lines: string[] = [];
  const children = new ChildProcesses();
  onTestFinished(() => children.killAll());
  const supervised = new SupervisedProgram({
    name: program,
    path: pathOf(program),
    environment: { PATH: process.env['PATH'], ...environment },
    stopTimeoutMs: 100,
    clock,
    logger: silentLogger,
    children,
    onLine: (_, line) => lines.push(line),
  });
  return { supervised, lines, children };
}

function pathOf(program: string): string {
  return fileURLToPath(new URL(`programs/${program}.ts`, import.meta.url));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a program gets its environment, and ends when it is told to', async () => {
  const { supervised, lines } = supervise('obedient', { GIVEN: 'something' }, new TwinClock());
  await eventually(() => lines[0]?.endsWith('with something') === true);
  await supervised[Symbol.asyncDispose]();
  expect(lines[1]).toBe('stopping: SIGTERM');
});

test('a program that does not end is killed', async () => {
  const { supervised, lines } = supervise('stubborn', {});
  await eventually(() => lines.includes('started'));
  await supervised[Symbol.asyncDispose]();
  expect(lines).toEqual(['started', 'no']);
});

test('a program that crashes is started again and again, until it is not wanted', async () => {
  const clock = new TwinClock();
  const { supervised, lines } = supervise('crashing', { EXIT_CODE: '1' }, clock);
  for (const count of [1, 2, 3]) {
    await eventually(() => {
      // Longer than the longest wait: what matters is that it is waited for.
      clock.moveTo(clock.now() + 1_000_000);
      return lines.length >= count;
    });
  }
  await supervised[Symbol.asyncDispose]();
  const count = lines.length;
  await clock.advance(120_000, 10_000);
  expect(lines).toHaveLength(count);
});

test('a program whose configuration is wrong is not started again', async () => {
  const { supervised } = supervise('crashing', { EXIT_CODE: '2' });
  await expect(supervised.failed).rejects.toThrow('cannot run with this configuration');
  await supervised[Symbol.asyncDispose]();
});

test('all programs can be killed at once', async () => {
  const { supervised, lines, children } = supervise('stubborn', {}, new TwinClock());
  await eventually(() => lines.includes('started'));
  const ended = supervised[Symbol.asyncDispose]();
  children.killAll();
  await ended;
});

test('a program ends when its parent is killed', async () => {
  const parent = spawn(process.execPath, [pathOf('parent')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void parent.kill('SIGKILL'));
  let pid = 0;
  for await (const line of createInterface({ input: parent.stdout })) {
    pid = Number(/^started (\d+)/u.exec(line)?.[1]);
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    break;
  }
  await eventually(() => !isAlive(pid));
});

test('a program that npm runs ends with the shell between them', async () => {
  // As npm does it; the second command keeps the shell from becoming the program.
  const command = `"${process.execPath}" "${pathOf('obedient')}"; true`;
  const shell = spawn('sh', ['-c', command], {
    env: { PATH: process.env['PATH'], npm_lifecycle_event: 'start' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void shell.kill('SIGKILL'));
  const lines: string[] = [];
  for await (const line of createInterface({ input: shell.stdout })) {
    lines.push(line);
    if (lines.length === 1) shell.kill('SIGTERM');
  }
  expect(lines[1]).toBe('stopping: the parent process ended');
});
