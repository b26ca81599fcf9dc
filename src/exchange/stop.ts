import type { Micros } from '../base/clock.ts';
import type { Stop } from './allowance.ts';

/** Exchanges ban for three days at most; a longer Retry-After is a mistake of somebody's. */
const longestStopMs = 3 * 24 * 3_600_000;

const reasons: Readonly<Record<number, string>> = {
  403: 'The exchange forbids access from here',
  418: 'The exchange has banned this address',
  429: 'The exchange asks for fewer requests',
  451: 'The exchange does not serve this place',
};

/**
 * Whether an HTTP status means that the address is not to be asked again for a while, over REST or
 * at a WebSocket's upgrade, and for how long: as the answer says, or else `stopMs` (a minute where
 * only the rate was too high).
 */
export function stopOf(
  { status, retryAfter }: { status: number; retryAfter: string | undefined },
  { stopMs, now }: { stopMs: number; now: Micros },
): Stop | undefined {
  const reason = reasons[status];
  if (reason === undefined) return undefined;
  const askedMs = retryAfterMs(retryAfter, now);
  const durationMs = askedMs ?? (status === 429 ? Math.min(stopMs, 60_000) : stopMs);
  return {
    durationMs: Math.min(Math.max(durationMs, 1000), longestStopMs),
    reason: `${reason} (HTTP ${status})`,
  };
}

/** Retry-After is a number of seconds or a date (RFC 9110, 10.2.3). */
function retryAfterMs(text: string | undefined, now: Micros): number | undefined {
  if (text === undefined || text === '') return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now / 1000;
  return Number.isFinite(ms) ? ms : undefined;
}
