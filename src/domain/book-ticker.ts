import type { Micros } from '../base/clock.ts';
import type { Decimal } from '../base/decimal.ts';
import type { InstrumentName } from './instrument.ts';

/** The best bid and ask of an order book. */
export type BookTicker = {
  readonly type: 'bookTicker';
  readonly instrument: InstrumentName;
  /** The order book's update id: rising within the instrument, not by one. */
  readonly updateId: number;
  readonly bidPrice: Decimal;
  readonly bidQuantity: Decimal;
  readonly askPrice: Decimal;
  readonly askQuantity: Decimal;
  /** When we received it; exchanges like Binance send no time of their own with it. */
  readonly receivedTime: Micros;
};
