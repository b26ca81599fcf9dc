import type { Micros } from '../../base/clock.ts';
import { formatDecimal, parseDecimal } from '../../base/decimal.ts';
import { splitInstrumentName } from '../../domain/instrument.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import { priceOnlyTrade } from '../../domain/trade.ts';
import type { Trade } from '../../domain/trade.ts';

// The layout is documented in docs/prices.md: others read it. Another layout is another number.

/** The key of an instrument's hash: "tradewind:1:price:binance:BTCUSDT". */
export function keyOf(instrument: InstrumentName): string {
  return `tradewind:1:price:${instrument}`;
}

/** How far a kept time may be ahead of our clock: beyond it somebody else has written it. */
const tolerance: Micros = 120_000_000;

export function latestPlausible(now: Micros): Micros {
  return now + tolerance;
}

/** The values that the script takes of one trade, in its order. */
export function fieldsOf(trade: Trade): string[] {
  const { exchange = '', symbol } = splitInstrumentName(trade.instrument);
  return [
    String(trade.exchangeTime),
    String(trade.id),
    formatDecimal(trade.price),
    String(trade.receivedTime),
    exchange,
    symbol,
  ];
}

/**
 * Keeps each trade, ARGV 6 by 6 after the expiry (ms) and the latest time that can be, where what is
 * kept is not newer by (time, id); and whatever is kept that cannot be, of a wrong type, without a
 * number or from the future, gives way. A script, because between a look and a write another server
 * may write; numbers of 16 digits are exact in it.
 */
export const writeScript = `
local expiry, latest = ARGV[1], tonumber(ARGV[2])
for index, key in ipairs(KEYS) do
  local first = 3 + (index - 1) * 6
  local kept = redis.pcall('HMGET', key, 'time', 'id')
  if kept.err then
    redis.call('DEL', key)
    kept = {}
  end
  local keptTime, keptId = tonumber(kept[1] or ''), tonumber(kept[2] or '')
  local time, id = tonumber(ARGV[first]), tonumber(ARGV[first + 1])
  local isNewer = keptTime and keptId and keptTime <= latest
    and (keptTime > time or (keptTime == time and keptId > id))
  if not isNewer then
    redis.call('HSET', key, 'time', ARGV[first], 'id', ARGV[first + 1], 'price', ARGV[first + 2],
      'received', ARGV[first + 3], 'exchange', ARGV[first + 4], 'symbol', ARGV[first + 5])
    redis.call('PEXPIRE', key, expiry)
  end
end
return #KEYS`;

/** A kept trade; undefined for what is none of ours: it is as if nothing were kept. */
export function tradeFrom(
  instrument: InstrumentName,
  kept: Readonly<Record<string, string>>,
  now: Micros,
): Trade | undefined {
  const exchangeTime = wholeNumber(kept['time']);
  const id = wholeNumber(kept['id']);
  const receivedTime = wholeNumber(kept['received']);
  const price = positiveDecimal(kept['price']);
  if (exchangeTime === undefined || id === undefined || price === undefined) return undefined;
  if (receivedTime === undefined || exchangeTime > latestPlausible(now)) return undefined;
  return priceOnlyTrade({ instrument, id, price, exchangeTime, receivedTime });
}

function wholeNumber(text: string | undefined): number | undefined {
  const value = Number(text);
  return text !== undefined && /^\d{1,16}$/u.test(text) && Number.isSafeInteger(value)
    ? value
    : undefined;
}

function positiveDecimal(text: string | undefined): bigint | undefined {
  try {
    const value = parseDecimal(text ?? '');
    return value > 0n ? value : undefined;
  } catch {
    return undefined;
  }
}
