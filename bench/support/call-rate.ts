import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cpuMicros } from './process-cost.ts';
import { median } from './rounds.ts';
import type { Called, Calls } from './unary-caller.ts';

/** Requests a second, and microseconds of this process's CPU each. */
export type CallRate = { readonly perSecond: number; readonly cpu: number };

/** Makes a `unary-caller` process call this process's server. */
export async function callRate(caller: ChildProcess, calls: Calls): Promise<CallRate> {
  const cpu = cpuMicros();
  caller.send(calls);
  const [{ ok, failed, elapsedMs }] = (await once(caller, 'message')) as [Called];
  if (failed > 0) throw new Error(`Expected every request to be answered, ${failed} were not`);
  return { perSecond: (ok * 1000) / elapsedMs, cpu: (cpuMicros() - cpu) / ok };
}

/** The medians of several rounds, for people. */
export function describeRates(rates: readonly CallRate[]): string {
  const perSecond = Math.round(median(rates.map((rate) => rate.perSecond)));
  const cpu = median(rates.map((rate) => rate.cpu)).toFixed(0);
  return `${perSecond} requests/s, ${cpu} µs of CPU each`;
}
