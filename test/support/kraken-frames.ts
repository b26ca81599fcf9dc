import { noon } from './builders.ts';
import { isoTime } from './coinbase-frames.ts';

/** Numbers stand in these as text, to be written into the JSON digit by digit as Kraken does. */
export type KrakenFields = Readonly<Record<string, string | undefined>>;

/** A trade as it stands in a frame, at noon; each value is JSON. undefined leaves one out. */
export function aKrakenTrade(fields: KrakenFields = {}): string {
  return jsonOf({
    symbol: '"BTC/USD"',
    side: '"buy"',
    price: '105944.20',
    qty: '0.00027625',
    ord_type: '"limit"',
    trade_id: '10',
    timestamp: `"${isoTime(noon)}"`,
    ...fields,
  });
}

/** A frame of the channel `trade` with these trades. */
export function aTradeFrame(...trades: readonly string[]): string {
  return `{"channel":"trade","type":"update","data":[${trades.join(',')}]}`;
}

export function aTickerFrame(fields: KrakenFields = {}): string {
  const ticker = jsonOf({
    symbol: '"BTC/USD"',
    bid: '0.10025',
    bid_qty: '740.0',
    ask: '0.10036',
    ask_qty: '1361.44813783',
    last: '0.10035',
    volume: '997038.98383185',
    change_pct: '-0.17',
    ...fields,
  });
  return `{"channel":"ticker","type":"update","data":[${ticker}]}`;
}

function jsonOf(fields: KrakenFields): string {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return `{${entries.map(([key, value]) => `"${key}":${value}`).join(',')}}`;
}
