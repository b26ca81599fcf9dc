import type { Micros } from '../base/clock.ts';
import { formatDecimal } from '../base/decimal.ts';
import type { Decimal } from '../base/decimal.ts';
import type { OrderSide } from '../domain/order.ts';

/** Why an open order is not being filled now. */
export type WaitingFor =
  /** Nothing is decided at the moment: what is decided could not be stored. */
  | { readonly type: 'storage' }
  /** Its account, or everything, is halted. */
  | { readonly type: 'halted'; readonly isEverything: boolean }
  /** The instrument's feed delivers nothing; the reason is in words. */
  | { readonly type: 'feedDown'; readonly reason: string }
  /** The feed is up, but has not told the best bid and ask yet. */
  | { readonly type: 'noTicker' }
  /** Bid and ask of the ticker cannot be: the bid is not below the ask. */
  | { readonly type: 'crossedBook'; readonly bidPrice: Decimal; readonly askPrice: Decimal }
  /** Nothing is displayed on the side that it would trade with. */
  | { readonly type: 'emptySide'; readonly side: OrderSide }
  | {
      readonly type: 'priceOutOfReach';
      /** The order's. */
      readonly side: OrderSide;
      /** The best bid for a sell, the best ask for a buy. */
      readonly bestPrice: Decimal;
      readonly limitPrice: Decimal;
    }
  /** Our orders have used all that is displayed. */
  | {
      readonly type: 'levelConsumed';
      readonly price: Decimal;
      readonly displayedQuantity: Decimal;
    }
  /** It could be filled, but the ticker is too old; a new one is asked for. */
  | { readonly type: 'staleTicker'; readonly receivedTime: Micros };

/** In one sentence, for people. */
export function describeWaiting(waiting: WaitingFor): string {
  switch (waiting.type) {
    case 'storage':
      return 'Fills wait until they can be stored again';
    case 'halted':
      return `Trading is halted${waiting.isEverything ? '' : ' for this account'}`;
    case 'feedDown':
      return `The feed is down: ${waiting.reason}`;
    case 'noTicker':
      return 'No book ticker has come yet';
    case 'crossedBook':
      return `The book is crossed: bid ${formatDecimal(waiting.bidPrice)}, ask ${formatDecimal(waiting.askPrice)}`;
    case 'emptySide':
      return waiting.side === 'sell' ? 'Nobody bids' : 'Nobody asks';
    case 'priceOutOfReach':
      return describePrice(waiting);
    case 'levelConsumed':
      return `All of the ${formatDecimal(waiting.displayedQuantity)} displayed at ${formatDecimal(waiting.price)} is used`;
    case 'staleTicker':
      return 'The last book ticker is too old, and a new one is asked for';
    default:
      return waiting satisfies never;
  }
}

function describePrice({
  side,
  bestPrice,
  limitPrice,
}: Extract<WaitingFor, { type: 'priceOutOfReach' }>): string {
  const best = side === 'sell' ? 'bid' : 'ask';
  const relation = side === 'sell' ? 'below' : 'above';
  return `The best ${best} is ${formatDecimal(bestPrice)}, ${relation} the limit of ${formatDecimal(limitPrice)}`;
}
