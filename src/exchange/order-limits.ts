import { backoffDelayMs } from '../base/backoff.ts';
import { sleep } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { InstrumentLimits } from '../domain/instrument.ts';
import type { ExchangeRest } from './exchange.ts';
import { RestError } from './rest-error.ts';

/** The order sizes hardly ever change and nothing waits for them. */
const backoff = { minimumMs: 5000, maximumMs: 600_000 };

type LimitsOptions = {
  readonly rest: ExchangeRest;
  readonly symbols: readonly string[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
};

/** Asks for the instruments' order sizes until there is an answer, or the signal is aborted. */
export async function askOrderLimits(
  { rest, symbols, clock, random, logger }: LimitsOptions,
  signal: AbortSignal,
  found: (limits: ReadonlyMap<string, InstrumentLimits>) => void,
): Promise<void> {
  try {
    for (let attempt = 0; ; attempt++) {
      try {
        found(await rest.instrumentLimits(symbols, signal));
        return;
      } catch (error) {
        if (!(error instanceof RestError)) throw error;
        const delayMs = Math.round(backoffDelayMs(attempt, backoff, random));
        logger.warn({ problem: error.message, delayMs }, 'The order sizes are not known yet');
        await sleep(clock, delayMs, signal);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
