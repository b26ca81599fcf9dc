import type { Clock } from '../base/clock.ts';
import type { LogLimiter } from '../base/log-limiter.ts';
import type { Logger } from '../base/logger.ts';
import type { ControlMessage, Subscription } from './exchange.ts';

export type SubscriptionSettings = {
  /** Requests that may be sent on a connection within a second. */
  readonly requestsPerSecond: number;
  /** A request that is not answered by then has failed. */
  readonly requestTimeoutMs: number;
  /** How often it is made sure that all streams are in force. */
  readonly auditEveryMs: number;
  /** How often a stream that is not in force is asked for before it counts as unavailable. */
  readonly subscribeAttempts: number;
};

export type StreamKeeperOptions = {
  readonly subscription: Subscription;
  readonly send: (text: string) => void;
  /** Told when a symbol's streams turn out not to be in force, and when they are (again). */
  readonly missing: (symbol: string, reason: string) => void;
  readonly inForce: (symbol: string) => void;
  readonly settings: SubscriptionSettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly logLimiter: LogLimiter;
};

/** Sees to it that what should be subscribed on an open connection is. */
export interface StreamKeeper extends Disposable {
  /** Whether all is in force that can be, as far as the exchange says. */
  readonly isChecked: boolean;
  /** Symbols whose streams the exchange does not deliver, and why. */
  readonly unavailable: ReadonlyMap<string, string>;
  /** Ends a symbol's subscription and begins it again; tells `inForce` or `missing`. */
  renew(symbol: string): void;
  take(message: ControlMessage): void;
  /** To be called steadily: begins what is due. */
  tick(): void;
}
