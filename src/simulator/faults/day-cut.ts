import type { Clock } from '../../base/clock.ts';
import { integerField, optional, readFields } from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import type { Connection } from '../connection.ts';
import { boundFields, maxDurationMs } from './bound.ts';
import type { Bound } from './bound.ts';
import { endConnection, endFields, readEnd } from './connection-end.ts';
import type { ConnectionEnd } from './connection-end.ts';
import type { Fault } from './fault.ts';

const fields = {
  ...boundFields,
  ...endFields,
  lifeMs: optional(integerField(1, maxDurationMs)),
};

/**
 * The cut that Binance makes after 24 hours: of all open connections now, or of each one, later ones
 * too, as soon as it has been open for `lifeMs`.
 */
export const dayCut: Action = (body, { faults, clock, connections, broadcast }) => {
  const { lifeMs, ...values } = readFields(body, fields);
  const end = readEnd(values);
  if (lifeMs !== undefined) {
    return faults.begin(new DayCut(lifeMs, end, faults.bound(values), { clock, connections }));
  }
  broadcast.sendDue();
  const cut = [...connections];
  for (const connection of cut) endConnection(connection, end);
  return { connections: cut.length };
};

class DayCut implements Fault {
  readonly action = 'dayCut';
  readonly symbol = undefined;
  readonly bound: Bound;
  readonly #lifeMs: number;
  readonly #end: ConnectionEnd;
  readonly #clock: Clock;
  readonly #connections: ReadonlySet<Connection>;
  /** Those that are on their way out and shall not be counted twice. */
  readonly #cut = new WeakSet<Connection>();

  constructor(
    lifeMs: number,
    end: ConnectionEnd,
    bound: Bound,
    { clock, connections }: { clock: Clock; connections: ReadonlySet<Connection> },
  ) {
    this.#lifeMs = lifeMs;
    this.#end = end;
    this.bound = bound;
    this.#clock = clock;
    this.#connections = connections;
  }

  shown(): Readonly<Record<string, unknown>> {
    return { lifeMs: this.#lifeMs, ...this.#end };
  }

  tick(): void {
    const youngest = this.#clock.monotonicMs() - this.#lifeMs;
    for (const connection of this.#connections) {
      if (connection.openedMs > youngest || this.#cut.has(connection)) continue;
      if (!this.bound.take()) return;
      this.#cut.add(connection);
      endConnection(connection, this.#end);
    }
  }
}
