import { optional, readFields, symbolField, integerField, withDefault } from '../control-fields.ts';
import { connectionsOf } from '../controlled.ts';
import type { Action } from '../controlled.ts';
import type { Connection } from '../connection.ts';
import { maxDurationMs } from './bound.ts';
import type { Bound } from './bound.ts';
import type { Fault } from './fault.ts';

/** Sockets whose other end may be long gone are not kept for ever. */
const defaultDurationMs = 3_600_000;

const fields = {
  symbol: optional(symbolField),
  durationMs: withDefault(integerField(1, maxDurationMs), defaultDurationMs),
};

/**
 * Neither writes to the connections that are open now nor reads from them, as if a cable were cut
 * where nobody notices. They are cut off when this ends; what was kept from them does not come.
 */
export const vanish: Action = (body, controlled) => {
  const { symbol, durationMs } = readFields(body, fields);
  const { faults, broadcast } = controlled;
  broadcast.sendDue();
  const connections = connectionsOf(controlled, symbol);
  return faults.begin(new Vanish(symbol, connections, faults.bound({ durationMs })));
};

class Vanish implements Fault {
  readonly action = 'vanish';
  readonly symbol: string | undefined;
  readonly bound: Bound;
  readonly #connections: readonly Connection[];

  constructor(symbol: string | undefined, connections: readonly Connection[], bound: Bound) {
    this.symbol = symbol;
    this.bound = bound;
    this.#connections = connections;
    for (const connection of connections) {
      connection.vanish();
      bound.take();
    }
  }

  shown(): Readonly<Record<string, unknown>> {
    return { connections: this.#connections.length };
  }

  ended(): void {
    for (const connection of this.#connections) connection.cut('It had vanished');
  }
}
