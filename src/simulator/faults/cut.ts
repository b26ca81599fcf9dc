import { optional, readFields, symbolField } from '../control-fields.ts';
import { connectionsOf } from '../controlled.ts';
import type { Action } from '../controlled.ts';
import { endConnection, endFields, readEnd } from './connection-end.ts';

const fields = { symbol: optional(symbolField), ...endFields };

/** Ends the connections that are open now. */
export const cut: Action = (body, controlled) => {
  const { symbol, ...values } = readFields(body, fields);
  const end = readEnd(values);
  controlled.broadcast.sendDue();
  const connections = connectionsOf(controlled, symbol);
  for (const connection of connections) endConnection(connection, end);
  return { connections: connections.length };
};
