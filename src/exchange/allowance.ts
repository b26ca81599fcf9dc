import type { Clock } from '../base/clock.ts';

export type AllowanceLimits = {
  /** The most weight that may be taken within any window. */
  readonly limit: number;
  readonly windowMs: number;
  /** So many takes may follow each other at once within a shorter window; default: as many as like. */
  readonly burst?: { readonly limit: number; readonly windowMs: number };
};

/** Why an address is left alone for a while. */
export type Stop = { readonly durationMs: number; readonly reason: string };

/**
 * What one address allows: so much weight in any window, and nothing at all while a stop is in
 * force. It is shared by everyone who uses the address.
 */
export class Allowance {
  readonly #clock: Clock;
  readonly #limits: AllowanceLimits;
  /** What was taken within the last window, oldest first. */
  readonly #taken: { readonly atMs: number; readonly weight: number }[] = [];
  #sum = 0;
  #stop: { readonly untilMs: number; readonly reason: string } | undefined;

  constructor(clock: Clock, limits: AllowanceLimits) {
    this.#clock = clock;
    this.#limits = limits;
  }

  /** Takes `weight` and returns 0, or takes nothing and returns how many ms to wait before asking again. */
  take(weight = 1): number {
    const nowMs = this.#clock.monotonicMs();
    if (this.#stop !== undefined) {
      if (nowMs < this.#stop.untilMs) return this.#stop.untilMs - nowMs;
      this.#stop = undefined;
    }
    const { limit, windowMs, burst } = this.#limits;
    let [oldest] = this.#taken;
    while (oldest !== undefined && oldest.atMs + windowMs <= nowMs) {
      this.#sum -= oldest.weight;
      this.#taken.shift();
      [oldest] = this.#taken;
    }
    // More than the limit at once would never fit: it may go when nothing else does.
    if (oldest !== undefined && this.#sum + weight > limit) {
      return Math.max(1, oldest.atMs + windowMs - nowMs);
    }
    const burstStart = burst && this.#taken.at(-burst.limit);
    if (burst !== undefined && burstStart !== undefined) {
      const waitMs = burstStart.atMs + burst.windowMs - nowMs;
      if (waitMs > 0) return waitMs;
    }
    this.#taken.push({ atMs: nowMs, weight });
    this.#sum += weight;
    return 0;
  }

  /** Nothing is allowed for a while; of two stops the later end counts. */
  stop({ durationMs, reason }: Stop): void {
    const untilMs = this.#clock.monotonicMs() + durationMs;
    if (this.#stop === undefined || untilMs > this.#stop.untilMs) this.#stop = { untilMs, reason };
  }

  /** The stop that is in force and how long it still is. */
  get currentStop(): Stop | undefined {
    if (this.#stop === undefined) return undefined;
    const durationMs = this.#stop.untilMs - this.#clock.monotonicMs();
    return durationMs > 0 ? { durationMs, reason: this.#stop.reason } : undefined;
  }
}
