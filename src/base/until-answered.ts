import { sleep } from './clock.ts';
import type { Clock } from './clock.ts';
import { StartError } from './start-error.ts';

const pollMs = 50;
const requestTimeoutMs = 2_000;

export type AnswerOptions = {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/**
 * Waits until a program answers at `url`.
 * @throws StartError when it does not in time; the signal's reason when it is aborted
 */
export async function untilAnswered(
  name: string,
  url: string,
  { clock, timeoutMs, signal }: AnswerOptions,
): Promise<void> {
  const deadline = clock.monotonicMs() + timeoutMs;
  while (!(await answers(url, signal))) {
    signal.throwIfAborted();
    if (clock.monotonicMs() > deadline) {
      throw new StartError(`The ${name} does not answer at ${url} after ${timeoutMs} ms`);
    }
    await sleep(clock, pollMs, signal);
  }
}

async function answers(url: string, signal: AbortSignal): Promise<boolean> {
  try {
    const limit = AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]);
    const response = await fetch(url, { signal: limit });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
