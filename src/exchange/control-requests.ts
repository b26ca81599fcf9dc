import { sleep } from '../base/clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Allowance } from './allowance.ts';
import type { ControlMessage } from './exchange.ts';

export type ControlRequestsOptions = {
  readonly clock: Clock;
  readonly send: (text: string) => void;
  /** What may be sent on this connection. */
  readonly messages: Allowance;
  /** No answer by then is an answer, too. */
  readonly timeoutMs: number;
  /** Aborted when the connection has ended. */
  readonly signal: AbortSignal;
};

export type ControlAnswer = Omit<Extract<ControlMessage, { type: 'response' }>, 'type'>;

/** Asks on one open connection, one request after the other: who calls waits for the answer. */
export class ControlRequests {
  readonly #options: ControlRequestsOptions;
  #lastId = 0;
  #answer: (answer: ControlAnswer) => void = () => {};

  constructor(options: ControlRequestsOptions) {
    this.#options = options;
  }

  /**
   * Sends what `write` makes for an id, and waits for its answer.
   * @throws the signal's reason
   */
  async ask(write: (id: number) => string): Promise<ControlAnswer> {
    const { clock, send, messages, timeoutMs, signal } = this.#options;
    for (let waitMs = messages.take(); waitMs > 0; waitMs = messages.take()) {
      await sleep(clock, waitMs, signal);
    }
    signal.throwIfAborted();
    const id = ++this.#lastId;
    const { promise, resolve, reject } = Promise.withResolvers<ControlAnswer>();
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    using _timer = clock.setTimer(timeoutMs, () => {
      resolve({ id, error: `No answer within ${timeoutMs / 1000} s`, streams: undefined });
    });
    this.#answer = resolve;
    try {
      send(write(id));
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#answer = () => {};
    }
  }

  /** Some errors do not say what they answer: they are taken for an answer to the last request. */
  take(answer: ControlAnswer): void {
    if (answer.id === undefined || answer.id === this.#lastId) this.#answer(answer);
  }
}
