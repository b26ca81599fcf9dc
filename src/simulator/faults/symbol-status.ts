import { choiceField, readFields, symbolField } from '../control-fields.ts';
import type { Action } from '../controlled.ts';
import { boundFields } from './bound.ts';
import type { Bound } from './bound.ts';
import type { Fault } from './fault.ts';

/** Binance's states of a symbol besides TRADING (enums.md). */
const statuses = ['END_OF_DAY', 'HALT', 'BREAK', 'CANCEL_ONLY'] as const;

const fields = {
  symbol: symbolField,
  status: choiceField(statuses),
  durationMs: boundFields.durationMs,
};

/** Tells another status of a symbol in exchangeInfo; its trades go on unless they are paused too. */
export const symbolStatus: Action = (body, { faults }) => {
  const { symbol, status, durationMs } = readFields(body, fields);
  return faults.begin(new SymbolStatus(symbol, status, faults.bound({ durationMs })));
};

class SymbolStatus implements Fault {
  readonly action = 'symbolStatus';
  readonly symbol: string;
  readonly bound: Bound;
  readonly #status: (typeof statuses)[number];

  constructor(symbol: string, status: (typeof statuses)[number], bound: Bound) {
    this.symbol = symbol;
    this.bound = bound;
    this.#status = status;
  }

  shown(): Readonly<Record<string, unknown>> {
    return { status: this.#status };
  }

  statusOf(symbol: string): string | undefined {
    return symbol === this.symbol && this.bound.take() ? this.#status : undefined;
  }
}
