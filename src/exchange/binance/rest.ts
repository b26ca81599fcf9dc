import type { Decimal } from '../../base/decimal.ts';
import { instrumentName } from '../../domain/instrument.ts';
import type { InstrumentLimits } from '../../domain/instrument.ts';
import type { LastTrade } from '../../domain/market-event.ts';
import type { ListedInstrument, RestOptions, RestQuestions } from '../exchange.ts';
import { expectArray, expectFields, read } from '../answers.ts';
import { askListedInParts } from '../ask-listed.ts';
import { decimalOrNone, isFields, timeRule } from '../fields.ts';
import type { Fields } from '../fields.ts';
import { createBinanceDepth } from './depth.ts';
import { createBinanceHistory } from './history.ts';
import { readAggTrade } from './payloads.ts';

const aggTradesWeight = 4;
const exchangeInfoWeight = 20;

/** So many symbols make a URL of about 1,000 characters and an answer of about 200 kB. */
const symbolsPerQuestion = 50;

/** Binance's public REST interface: binance/binance-spot-api-docs, rest-api.md. */
export function createBinanceRest(options: RestOptions): RestQuestions {
  const { client, exchange, timeUnit, maximumAheadMs } = options;
  const rule = timeRule(timeUnit, maximumAheadMs);
  const headers: Record<string, string> =
    timeUnit === 'microsecond' ? { 'X-MBX-TIME-UNIT': 'MICROSECOND' } : {};

  /**
   * `/api/v3/aggTrades?symbol=BTCUSDT&limit=1`, without a range: the newest.
   *
   *     [{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27781,"T":1498793709153,"m":true,"M":true}]
   */
  async function lastTrade(symbol: string, signal: AbortSignal): Promise<LastTrade | undefined> {
    const path = `/api/v3/aggTrades?symbol=${encodeURIComponent(symbol)}&limit=1`;
    const { body, askedTime } = await client.get({
      path,
      weight: aggTradesWeight,
      headers,
      signal,
    });
    const row = expectArray(path, body).at(-1);
    if (row === undefined) return undefined;
    const receivedTime = client.clock.now();
    const context = { instrument: instrumentName(exchange, symbol), receivedTime, rule };
    const trade = read(path, () => readAggTrade(expectFields(row), context, undefined));
    return { type: 'lastTrade', trade, askedTime, receivedTime };
  }

  const listedInstruments = (symbols: readonly string[], signal: AbortSignal) =>
    askListedInParts(symbols, symbolsPerQuestion, (some, listed) =>
      askListed(some, listed, signal),
    );

  /**
   * `/api/v3/exchangeInfo?symbols=["BTCUSDT"]`
   *
   *     {"symbols":[{"symbol":"BTCUSDT","status":"TRADING","filters":[{"filterType":"PRICE_FILTER","tickSize":"0.01000000"},
   *      {"filterType":"LOT_SIZE","stepSize":"0.00001000"},{"filterType":"NOTIONAL","minNotional":"5.00000000"}]}]}
   *
   * One symbol that it does not know makes it refuse them all.
   */
  async function askListed(
    symbols: readonly string[],
    listed: Map<string, ListedInstrument>,
    signal: AbortSignal,
  ): Promise<void> {
    const path = `/api/v3/exchangeInfo?symbols=${encodeURIComponent(JSON.stringify(symbols))}`;
    const { body } = await client.get({ path, weight: exchangeInfoWeight, headers, signal });
    const rows = isFields(body) ? body.symbols : undefined;
    for (const row of expectArray(path, rows)) {
      if (isFields(row) && typeof row.symbol === 'string') {
        listed.set(row.symbol, { limits: readLimits(row), trouble: readTrouble(row) });
      }
    }
  }

  return {
    ...createBinanceHistory(options),
    ...createBinanceDepth(options),
    lastTradeWeight: aggTradesWeight,
    lastTrade,
    listedInstruments,
  };
}

/** What the states other than TRADING mean (enums.md, "Symbol status"); new ones are shown as they are. */
const states: Readonly<Record<string, string>> = {
  HALT: 'The exchange has halted it',
  BREAK: 'The exchange has it in a break',
  END_OF_DAY: 'The exchange has closed it for the day',
  CANCEL_ONLY: 'The exchange takes only cancellations for it',
};

function readTrouble({ status }: Fields): string | undefined {
  if (typeof status !== 'string' || status === 'TRADING') return undefined;
  return `${states[status] ?? 'It does not trade'} (${status.slice(0, 40)})`;
}

/** A limit of 0 is one that the exchange does not check. */
function readLimits({ filters }: Fields): InstrumentLimits {
  const find = (key: string, ...types: readonly string[]): Decimal | undefined => {
    if (!Array.isArray(filters)) return undefined;
    const filter: unknown = filters.find(
      (filter: unknown) => isFields(filter) && types.includes(String(filter.filterType)),
    );
    return isFields(filter) ? decimalOrNone(filter[key]) : undefined;
  };
  return {
    tickSize: find('tickSize', 'PRICE_FILTER'),
    lotSize: find('stepSize', 'LOT_SIZE'),
    // Newer symbols have NOTIONAL, older ones MIN_NOTIONAL, with the same key.
    minimumNotional: find('minNotional', 'NOTIONAL', 'MIN_NOTIONAL'),
  };
}
