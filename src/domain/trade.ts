import type { Micros } from '../base/clock.ts';
import type { Decimal } from '../base/decimal.ts';
import type { InstrumentName } from './instrument.ts';

/**
 * A print on an exchange's public tape. Where the exchange aggregates, one print stands for the
 * single trades firstTradeId … lastTradeId, and `id` is the aggregate's own.
 */
export type Trade = {
  readonly type: 'trade';
  readonly instrument: InstrumentName;
  /** Unique and, where the exchange promises it, rising by one within the instrument. */
  readonly id: number;
  readonly price: Decimal;
  /** Above 0; 0 where the exchange tells prices alone. */
  readonly quantity: Decimal;
  /** The side of the taker, who met a resting order; undefined where the exchange does not say. */
  readonly takerSide: 'buy' | 'sell' | undefined;
  /** When the exchange matched it. */
  readonly exchangeTime: Micros;
  /** When the exchange sent it; undefined where it does not say. */
  readonly eventTime: Micros | undefined;
  /** When we received it. */
  readonly receivedTime: Micros;
  readonly firstTradeId: number;
  readonly lastTradeId: number;
};

/** A trade of which an exchange tells the price alone: neither quantity nor taker. */
export function priceOnlyTrade(
  told: Pick<Trade, 'instrument' | 'id' | 'price' | 'exchangeTime' | 'receivedTime'>,
): Trade {
  return {
    type: 'trade',
    instrument: told.instrument,
    id: told.id,
    price: told.price,
    quantity: 0n,
    takerSide: undefined,
    exchangeTime: told.exchangeTime,
    eventTime: undefined,
    receivedTime: told.receivedTime,
    firstTradeId: told.id,
    lastTradeId: told.id,
  };
}
