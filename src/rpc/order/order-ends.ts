import type { Clock } from '../../base/clock.ts';
import { isTerminal } from '../../domain/order.ts';
import type { LogEntry } from '../../store/order/log-reader.ts';
import type { LogTail } from '../../store/order/log-tail.ts';

/** Tells those who wait for single orders that they came to their end, on whichever server that was. */
export class OrderEnds implements Disposable {
  readonly #tail: Pick<LogTail, 'subscribe'>;
  readonly #clock: Clock;
  /** By order id: what ends the waiting. */
  readonly #waiting = new Map<string, Set<() => void>>();
  #following: Disposable | undefined;
  #isStopped = false;

  constructor(tail: Pick<LogTail, 'subscribe'>, clock: Clock) {
    this.#tail = tail;
    this.#clock = clock;
  }

  /**
   * Waits from now on for the order to come to its end; no longer than the patience, until the signal
   * is aborted, or the server stops. Whoever waited looks at the order to know.
   * @throws Refusal 'unavailable' before the log could be read first
   */
  async wait(
    orderId: string,
    { patienceMs, signal }: { readonly patienceMs: number; readonly signal: AbortSignal },
  ): Promise<void> {
    this.#following ??= this.#tail.subscribe((entries) => this.#handle(entries));
    if (signal.aborted || this.#isStopped) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const settle = () => resolve();
    const waiting = this.#waiting.get(orderId) ?? new Set();
    this.#waiting.set(orderId, waiting.add(settle));
    signal.addEventListener('abort', settle);
    using _patience = this.#clock.setTimer(patienceMs, settle);
    await promise;
    signal.removeEventListener('abort', settle);
    waiting.delete(settle);
    if (waiting.size === 0) this.#waiting.delete(orderId);
  }

  #handle(entries: readonly LogEntry[]): void {
    for (const entry of entries) {
      if (entry.type !== 'order' || !isTerminal(entry.order)) continue;
      for (const settle of this.#waiting.get(entry.order.orderId) ?? []) settle();
    }
  }

  /** Lets all who wait go. */
  [Symbol.dispose](): void {
    this.#isStopped = true;
    this.#following?.[Symbol.dispose]();
    for (const settles of this.#waiting.values()) for (const settle of settles) settle();
  }
}
