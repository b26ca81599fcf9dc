import { choiceField, integerField, optional, readFields, symbolField } from '../control-fields.ts';
import type { Action } from '../controlled.ts';

/** The action that ends faults: all, those that one action began, of one symbol, or one by its number. */
export function clearer(actions: readonly string[]): Action {
  const fields = {
    kind: optional(choiceField(actions)),
    symbol: optional(symbolField),
    number: optional(integerField(1, Number.MAX_SAFE_INTEGER)),
  };
  return (body, { faults, broadcast }) => {
    const { kind, symbol, number } = readFields(body, fields);
    broadcast.sendDue();
    const cleared = faults.clear(
      (fault, itsNumber) =>
        (kind === undefined || kind === fault.action) &&
        (symbol === undefined || symbol === fault.symbol) &&
        (number === undefined || number === itsNumber),
    );
    // What they held back goes out now.
    broadcast.sendDue();
    return { cleared };
  };
}
