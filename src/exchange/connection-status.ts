import type { Micros } from '../base/clock.ts';
import type { InstrumentName } from '../domain/instrument.ts';

export type ConnectionState =
  /** An attempt is under way. */
  | 'connecting'
  /** Its subscriptions are in force. */
  | 'open'
  /** The next attempt comes soon. */
  | 'waiting'
  /** The exchange does not let us in; the next attempt comes after a long while. */
  | 'refused';

export type ConnectionStatus = {
  /** Names the subscription; the connections that serve it in turn have a number behind it. */
  readonly name: string;
  readonly instruments: readonly InstrumentName[];
  readonly state: ConnectionState;
  /** Why it is in this state, for people. */
  readonly reason: string;
  readonly since: Micros;
  /** Attempts since it was last good. */
  readonly attempts: number;
  /** When the next attempt is made, where one is waited for. */
  readonly nextAttempt: Micros | undefined;
};

const statesWorstFirst: readonly ConnectionState[] = ['refused', 'waiting', 'connecting', 'open'];

/** That of the connection that is worst off, for all of them. */
export function worstOf(
  statuses: readonly ConnectionStatus[],
  now: Micros,
): Pick<ConnectionStatus, 'state' | 'reason' | 'since' | 'attempts'> {
  for (const state of statesWorstFirst) {
    const status = statuses.find((status) => status.state === state);
    if (status !== undefined) return status;
  }
  return { state: 'open', reason: 'No symbol is subscribed', since: now, attempts: 0 };
}
