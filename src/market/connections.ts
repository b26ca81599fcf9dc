import type { InstrumentName } from '../domain/instrument.ts';
import type { ConnectionLost, ConnectionOpened } from '../domain/market-event.ts';
import { newConnection } from './instrument-state.ts';
import type { Connection, InstrumentState } from './instrument-state.ts';

/** The connections that are open, and which instruments each is in charge of. */
export class Connections {
  readonly #stateOf: (instrument: InstrumentName) => InstrumentState;
  readonly #onChange: () => void;
  readonly #open = new Map<string, Connection>();

  constructor(stateOf: (instrument: InstrumentName) => InstrumentState, onChange: () => void) {
    this.#stateOf = stateOf;
    this.#onChange = onChange;
  }

  opened({ connection: name, instruments, idOrder = 'contiguous' }: ConnectionOpened): void {
    const connection = newConnection(instruments);
    this.#open.set(name, connection);
    for (const instrument of instruments) {
      const state = this.#stateOf(instrument);
      // While the connection before it still delivers, nothing is missed by going over to this one.
      if (state.connection?.isOpen !== true) {
        state.isContinuous = false;
        // The exchange may have begun its update ids anew.
        state.bookTicker = undefined;
      }
      state.connection = connection;
      state.idOrder = idOrder;
    }
    this.#onChange();
  }

  lost({ connection: name, reason }: ConnectionLost): void {
    const connection = this.#open.get(name);
    if (connection === undefined) return;
    this.#open.delete(name);
    connection.isOpen = false;
    connection.reason = reason;
    for (const state of this.on(connection)) state.isContinuous = false;
    this.#onChange();
  }

  /** The instruments that a connection is in charge of. */
  on(connection: Connection): InstrumentState[] {
    return connection.instruments
      .map((name) => this.#stateOf(name))
      .filter((state) => state.connection === connection);
  }
}
