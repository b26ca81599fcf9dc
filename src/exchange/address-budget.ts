import type { Clock } from '../base/clock.ts';
import { Allowance } from './allowance.ts';
import type { Exchange } from './exchange.ts';
import type { FeedSettings } from './feed-settings.ts';

/** What all feeds of a process together may do at one address: exchanges count by who asks them. */
export type AddressBudget = {
  readonly connects: Allowance;
  /** The weight of all REST questions. */
  readonly weight: Allowance;
  /** The weight of those that are asked only because nothing comes. */
  readonly probes: Allowance;
};

/** The budgets of all addresses; feeds with the same addresses share one. */
export class AddressBudgets {
  readonly #clock: Clock;
  readonly #byAddress = new Map<string, Allowance>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The limits are those of the feed that asked first for an address. */
  of({ facts }: Exchange, settings: FeedSettings): AddressBudget {
    const { limits } = facts;
    const connects = () =>
      new Allowance(this.#clock, {
        limit: Math.min(settings.connectsPer5Minutes, limits.connectsPer5Minutes),
        windowMs: 300_000,
        burst: { limit: settings.connectsPerSecond, windowMs: 1000 },
      });
    const { restPerSecond } = limits;
    const weight = () =>
      new Allowance(this.#clock, {
        limit: Math.min(settings.restWeightPerMinute, limits.restWeightPerMinute),
        windowMs: 60_000,
        ...(restPerSecond && { burst: { limit: restPerSecond, windowMs: 1000 } }),
      });
    const probes = () =>
      new Allowance(this.#clock, { limit: settings.probeWeightPerMinute, windowMs: 60_000 });
    return {
      connects: this.#shared(`connects ${settings.webSocketBaseUrl}`, connects),
      weight: this.#shared(`weight ${settings.restBaseUrl}`, weight),
      probes: this.#shared(`probes ${settings.restBaseUrl}`, probes),
    };
  }

  #shared(address: string, create: () => Allowance): Allowance {
    const known = this.#byAddress.get(address);
    if (known !== undefined) return known;
    const allowance = create();
    this.#byAddress.set(address, allowance);
    return allowance;
  }
}
