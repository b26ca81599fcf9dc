import type { Micros } from '../../base/clock.ts';
import { ExactNumber } from '../../base/exact-json.ts';
import type { Trade } from '../../domain/trade.ts';
import { isPossibleTime, readDecimal, WireError } from '../fields.ts';
import type { ReadContext } from '../fields.ts';

/**
 * A row of `/0/public/Trades`. Unlike those of the WebSocket, its prices are strings, and its time is
 * a number of seconds, which a float would change.
 *
 *     ["30243.40000","0.34507674",1688669597.8277369,"b","m","",61044952]
 *
 * price, volume, time, b(uy) or s(ell) of the taker, m(arket) or l(imit), nothing, id.
 * @throws WireError
 */
export function readTradeRow(row: unknown, context: ReadContext): Trade {
  if (!Array.isArray(row)) throw new WireError('field', 'expected a trade as a list');
  const [price, volume, time, side, , , idNumber] = row as unknown[];
  const id = idNumber instanceof ExactNumber ? idNumber.integer : undefined;
  if (id === undefined) throw new WireError('field', 'expected an integer as the id of a trade');
  if (side !== 'b' && side !== 's') throw new WireError('field', 'expected "b" or "s"');
  return {
    type: 'trade',
    instrument: context.instrument,
    id,
    price: readDecimal({ price }, 'price', false),
    quantity: readDecimal({ volume }, 'volume', false),
    takerSide: side === 'b' ? 'buy' : 'sell',
    exchangeTime: readSeconds(time, context),
    eventTime: undefined,
    receivedTime: context.receivedTime,
    firstTradeId: id,
    lastTradeId: id,
  };
}

/** Finer digits than microseconds are left out. */
function readSeconds(value: unknown, { receivedTime, rule }: ReadContext): Micros {
  const text = value instanceof ExactNumber ? value.source : '';
  const [, seconds, fraction = ''] = /^(\d{1,10})(?:\.(\d+))?$/u.exec(text) ?? [];
  const time = Number(seconds) * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
  if (!isPossibleTime(time, receivedTime, rule)) {
    throw new WireError('time', `expected the time of a trade in seconds, got ${text}`);
  }
  return time;
}
