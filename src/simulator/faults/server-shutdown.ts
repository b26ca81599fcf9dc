import { integerField, optional, readFields, symbolField, withDefault } from '../control-fields.ts';
import { connectionsOf } from '../controlled.ts';
import type { Action } from '../controlled.ts';
import type { Connection } from '../connection.ts';
import { timeIn } from '../frame.ts';
import { maxDurationMs } from './bound.ts';
import type { Bound } from './bound.ts';
import { endConnection, endFields, readEnd } from './connection-end.ts';
import type { ConnectionEnd } from './connection-end.ts';
import type { Fault } from './fault.ts';

/** Binance promises no time any more; enough for a client to open another connection first. */
const defaultAfterMs = 10_000;

const fields = {
  symbol: optional(symbolField),
  afterMs: withDefault(integerField(1, maxDurationMs), defaultAfterMs),
  ...endFields,
};

/** Tells the connections that are open now that they will end, and ends them. */
export const serverShutdown: Action = (body, controlled) => {
  const { symbol, afterMs, ...values } = readFields(body, fields);
  const end = readEnd(values);
  const { faults, broadcast } = controlled;
  const now = broadcast.sendDue();
  const connections = connectionsOf(controlled, symbol);
  const begun = faults.begin(
    new ServerShutdown(symbol, connections, end, faults.bound({ durationMs: afterMs })),
  );
  broadcast.sendTo(
    connections,
    '!serverShutdown',
    (unit) => `{"e":"serverShutdown","E":${timeIn(unit, now)}}`,
  );
  return begun;
};

/** Cleared before its time, nobody is cut off. */
class ServerShutdown implements Fault {
  readonly action = 'serverShutdown';
  readonly symbol: string | undefined;
  readonly bound: Bound;
  readonly #connections: readonly Connection[];
  readonly #end: ConnectionEnd;

  constructor(
    symbol: string | undefined,
    connections: readonly Connection[],
    end: ConnectionEnd,
    bound: Bound,
  ) {
    this.symbol = symbol;
    this.bound = bound;
    this.#connections = connections;
    this.#end = end;
    for (const _ of connections) bound.take();
  }

  shown(): Readonly<Record<string, unknown>> {
    return { connections: this.#connections.length, ...this.#end };
  }

  ended(how: 'over' | 'cleared'): void {
    if (how === 'cleared') return;
    for (const connection of this.#connections) endConnection(connection, this.#end);
  }
}
