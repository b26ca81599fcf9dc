import type { Clock } from '../base/clock.ts';
import { RestError } from './rest-parameters.ts';

/** Addresses counted at once; a test machine has one. All are forgotten beyond that. */
const maxAddresses = 10_000;

/** Counts the request weight that each address uses within a minute of the clock. */
export class RequestWeight {
  /** What an address may use in a minute. */
  readonly limit: number;
  readonly #clock: Clock;
  readonly #used = new Map<string, number>();
  #minute = -1;

  constructor(limit: number, clock: Clock) {
    this.limit = limit;
    this.#clock = clock;
  }

  /**
   * Counts a request and returns what its address has used in this minute.
   * @throws RestError 429 beyond the limit, naming the seconds to wait
   */
  use(address: string, weight: number): number {
    const seconds = Math.floor(this.#clock.now() / 1_000_000);
    const minute = Math.floor(seconds / 60);
    if (minute !== this.#minute || this.#used.size >= maxAddresses) this.#used.clear();
    this.#minute = minute;
    const used = (this.#used.get(address) ?? 0) + weight;
    this.#used.set(address, used);
    if (used <= this.limit) return used;
    const message = `Too much request weight used; current limit is ${this.limit} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.`;
    throw new RestError(429, -1003, message, 60 - (seconds % 60));
  }
}
