import type { Micros } from '../../src/base/clock.ts';
import { parseDecimal } from '../../src/base/decimal.ts';
import { Market } from '../../src/market/market.ts';

const second: Micros = 1_000_000;

/** A market of one instrument in which every second from `start` to `end` has a trade. */
export function heldMarket(instrument: string, start: Micros, end: Micros): Market {
  const market = new Market({ run: start, publish: () => {} });
  holdTrades(market, instrument, start, end);
  return market;
}

/** Lets a market hear of another instrument, on a connection of its own. */
export function holdTrades(market: Market, instrument: string, start: Micros, end: Micros): void {
  const opened = { type: 'connectionOpened', receivedTime: start } as const;
  market.handle({ ...opened, connection: instrument, instruments: [instrument] });
  let id = 0;
  for (let time = start; time < end; time += second) {
    id++;
    market.handle({
      type: 'trade',
      instrument,
      id,
      price: parseDecimal(`${60_000 + ((id * 7919) % 1000)}.${(id % 90) + 10}`),
      quantity: parseDecimal(`0.00${(id % 900) + 100}`),
      takerSide: id % 2 === 0 ? 'buy' : 'sell',
      exchangeTime: time,
      eventTime: time,
      receivedTime: time,
      firstTradeId: id,
      lastTradeId: id,
    });
  }
}
