import type { Clock } from '../base/clock.ts';

// Binance's numbers (web-socket-streams.md): a minute for a ping's pong, 5 incoming messages a
// second with pings and pongs among them.
const pongTimeoutMs = 60_000;
const maxMessagesPerSecond = 5;

/** Watches whether a client answers pings and keeps to the number of messages that it may send. */
export class ClientLiveness {
  readonly #clock: Clock;
  /** When the first ping was sent that no pong has answered. */
  #unansweredSince: number | undefined;
  /** When the last messages came in, oldest first. */
  #messageTimes: number[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Called for each ping; false when a pong is overdue. */
  pinged(): boolean {
    const now = this.#clock.monotonicMs();
    this.#unansweredSince ??= now;
    return now - this.#unansweredSince < pongTimeoutMs;
  }

  answered(): void {
    this.#unansweredSince = undefined;
  }

  /** Counts an incoming message; false when it was one too many. */
  countMessage(): boolean {
    const now = this.#clock.monotonicMs();
    this.#messageTimes = this.#messageTimes.filter((time) => now - time < 1000);
    this.#messageTimes.push(now);
    return this.#messageTimes.length <= maxMessagesPerSecond;
  }
}
