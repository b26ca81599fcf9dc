import { countText } from './count-text.ts';
import { timeIn } from './frame.ts';
import { readSymbols } from './rest-parameters.ts';
import type { RestRequest } from './rest.ts';
import { profileOf } from './symbol-profile.ts';

/** `/api/v3/exchangeInfo`: the symbols asked for, else those that the simulator lists. */
export function exchangeInfo(request: RestRequest): unknown {
  const { query, unit, now, symbols, weightLimit, faults } = request;
  return {
    timezone: 'UTC',
    serverTime: timeIn(unit, now),
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: weightLimit },
      { rateLimitType: 'RAW_REQUESTS', interval: 'MINUTE', intervalNum: 5, limit: 300_000 },
    ],
    exchangeFilters: [],
    symbols: (readSymbols(query) ?? symbols).map((symbol) =>
      symbolInfo(symbol, faults.first((fault) => fault.statusOf?.(symbol)) ?? 'TRADING'),
    ),
  };
}

function symbolInfo(symbol: string, status: string): unknown {
  const profile = profileOf(symbol);
  const tickSize = countText(1, profile.tickDecimals);
  const stepSize = countText(1, profile.lotDecimals);
  return {
    symbol,
    status,
    baseAsset: profile.baseAsset,
    baseAssetPrecision: 8,
    quoteAsset: profile.quoteAsset,
    quotePrecision: 8,
    quoteAssetPrecision: 8,
    orderTypes: ['LIMIT', 'MARKET'],
    isSpotTradingAllowed: true,
    isMarginTradingAllowed: false,
    filters: [
      { filterType: 'PRICE_FILTER', minPrice: tickSize, maxPrice: '1000000.00000000', tickSize },
      { filterType: 'LOT_SIZE', minQty: stepSize, maxQty: '9000000000.00000000', stepSize },
      {
        filterType: 'NOTIONAL',
        minNotional: profile.minimumNotional,
        applyMinToMarket: true,
        maxNotional: '9000000.00000000',
        applyMaxToMarket: false,
        avgPriceMins: 5,
      },
    ],
  };
}
