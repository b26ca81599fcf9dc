import { z } from 'zod';
import type { Clock } from '../base/clock.ts';

/** A server that is up answers at once: it reads memory only. */
const timeoutMs = 2_000;

const answer = z.object({ mode: z.enum(['MODE_TEST', 'MODE_LIVE']) });

/** The mode that a server is in, which may have been switched before it was started again. */
export async function modeOf(
  serverUrl: string,
  configured: 'TEST' | 'LIVE',
  clock: Clock,
): Promise<'TEST' | 'LIVE'> {
  const patience = new AbortController();
  using _timer = clock.setTimer(timeoutMs, () => patience.abort());
  try {
    const response = await fetch(`${serverUrl}/mode`, { signal: patience.signal });
    return answer.parse(await response.json()).mode === 'MODE_LIVE' ? 'LIVE' : 'TEST';
  } catch {
    // It is said to people only: nothing depends on it.
    return configured;
  }
}
