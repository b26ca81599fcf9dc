import type { Clock } from '../base/clock.ts';

/** Fast enough to look alive, too slow to cost anything. */
const redrawPeriodMs = 100;
const barWidth = 30;

type TerminalStream = Pick<NodeJS.WriteStream, 'write' | 'isTTY'>;

/** A bar on a terminal's standard error; nothing elsewhere. */
export class ProgressBar {
  readonly #stream: TerminalStream;
  readonly #clock: Clock;
  #drawnAtMs = -Infinity;

  constructor(stream: TerminalStream, clock: Clock) {
    this.#stream = stream;
    this.#clock = clock;
  }

  /** Shows which part of the work is done, from 0 to 1. */
  show(part: number): void {
    if (!this.#stream.isTTY) return;
    const shown = Math.min(part, 1);
    const now = this.#clock.monotonicMs();
    if (now - this.#drawnAtMs < redrawPeriodMs) return;
    this.#drawnAtMs = now;
    const full = Math.round(shown * barWidth);
    const bar = '█'.repeat(full) + '░'.repeat(barWidth - full);
    this.#stream.write(`\r${bar} ${String(Math.floor(shown * 100)).padStart(3)} %`);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#drawnAtMs !== -Infinity) this.#stream.write('\r\u001B[2K');
  }
}
