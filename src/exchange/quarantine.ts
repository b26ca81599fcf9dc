import type { Clock } from '../base/clock.ts';
import { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import type { BadFrame, BadFrameCause } from './bad-frame.ts';

/** Enough to see what is wrong; the log has one a minute and cause. */
const keptSamples = 10;
const logPeriodMs = 60_000;

/** Where bad frames go: counted by cause, the newest kept, one a minute and cause logged. */
export class Quarantine {
  readonly counts: Record<BadFrameCause, number> = { unreadable: 0, binary: 0, field: 0, time: 0 };
  readonly #logger: Logger;
  readonly #limiter: LogLimiter;
  #samples: BadFrame[] = [];

  constructor({ clock, logger }: { readonly clock: Clock; readonly logger: Logger }) {
    this.#logger = logger;
    this.#limiter = new LogLimiter(clock, logPeriodMs);
  }

  /** The newest bad frames, oldest first. */
  get samples(): readonly BadFrame[] {
    return this.#samples;
  }

  add(bad: BadFrame): void {
    this.counts[bad.cause]++;
    this.#samples = [...this.#samples.slice(1 - keptSamples), bad];
    const due = this.#limiter.due(bad.cause);
    if (due !== undefined) this.#logger.warn({ ...bad, ...due }, 'A bad frame was left out');
  }
}
