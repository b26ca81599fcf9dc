import type { Micros } from '../base/clock.ts';
import type { InstrumentName } from './instrument.ts';

/** A run of consecutive trades that we know we have not seen. */
export type Gap = {
  readonly type: 'gap';
  readonly instrument: InstrumentName;
  readonly firstMissingId: number;
  readonly lastMissingId: number;
  /** The exchange time of the last known trade before it. */
  readonly fromTime: Micros;
  /** The exchange time of the first known trade after it. */
  readonly toTime: Micros;
  /** open: missing · filled: they came after all · absent: the exchange has not got them either. */
  readonly state: 'open' | 'filled' | 'absent';
};
