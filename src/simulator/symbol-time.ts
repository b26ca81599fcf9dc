import type { Micros } from '../base/clock.ts';

/** Where the simulated history begins: 2025-01-01 UTC. Nothing was traded before. */
export const epoch: Micros = Date.UTC(2025, 0, 1) * 1000;

export const secondMicros = 1_000_000;
export const minuteMicros = 60 * secondMicros;
