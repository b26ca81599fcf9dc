import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type {
  GetPriceStatisticsRequest,
  GetPriceStatisticsResponse,
  PriceService,
  StreamLatestPricesRequest,
  StreamLatestPricesResponse,
  SymbolPriceStatistics,
} from '../../../gen/tradewind/market/v1/price_service_pb.ts';
import {
  GetLatestPriceResponseSchema,
  ListPriceStatisticsResponseSchema,
  StreamLatestPricesResponseSchema,
  SymbolPriceStatisticsSchema,
} from '../../../gen/tradewind/market/v1/price_service_pb.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Trade } from '../../domain/trade.ts';
import type { PriceBook } from '../../market/price-book.ts';
import { statisticsOf } from '../../market/price-statistics.ts';
import type { Window } from '../../market/price-window.ts';
import type { PriceBroadcast } from './price-broadcast.ts';
import type { PricedSymbol, PriceInstruments } from './price-instruments.ts';
import {
  checkStatistic,
  latestPriceToMessage,
  periodOf,
  statisticsAnswer,
  statisticsToMessage,
} from './price-messages.ts';
import { formatPricePageToken, parsePricePageToken } from './price-page-token.ts';

/** Where other servers leave their latest prices. */
export interface SharedPrices {
  /** The latest trade of each instrument that is there, never an error: none where it is away. */
  latest(instruments: readonly InstrumentName[]): Promise<readonly Trade[]>;
}

export type PriceServiceParts = {
  readonly book: PriceBook;
  readonly instruments: PriceInstruments;
  readonly broadcast: PriceBroadcast;
  /** undefined: nothing is shared. */
  readonly shared: SharedPrices | undefined;
};

/** ListPriceStatistics answers this many symbols where the request does not say. */
const defaultPageSize = 100;
/** Symbols that are looked at together: each may have to be read from the store. */
const listedAtOnce = 4;

/** PriceService over the market, what is stored of it, and what other servers know. */
export function priceService(parts: PriceServiceParts): ServiceImpl<typeof PriceService> {
  const { instruments, book } = parts;
  return {
    async getLatestPrice({ symbol, exchange }) {
      const found = instruments.find(symbol, exchange);
      const own = book.latestTrade(found.instruments);
      const isHeard = own !== undefined && book.areHeard(found.instruments);
      const other = isHeard ? undefined : await sharedTrade(parts, found.instruments);
      const trade = later(own, other);
      if (trade === undefined) {
        const names = found.instruments.join(', ');
        throw new Refusal('unavailable', `No price is known yet of ${names}`);
      }
      const { $typeName: _, ...price } = latestPriceToMessage(trade);
      const cached = trade === other;
      return create(GetLatestPriceResponseSchema, { ...price, symbol: found.symbol, cached });
    },

    getPriceStatistics: (request) => getPriceStatistics(parts, request),

    async listPriceStatistics({ symbol, exchange, period: duration, pageSize, pageToken }) {
      const period = periodOf('period', duration);
      const after = parsePricePageToken(pageToken);
      const all = symbol === '' ? instruments.all(exchange) : [instruments.find(symbol, exchange)];
      const left = after === undefined ? all : all.filter((one) => one.symbol > after);
      const page = left.slice(0, pageSize === 0 ? defaultPageSize : pageSize);
      const window = book.windowOf(
        all.flatMap((one) => one.instruments),
        period,
      );
      const symbols: SymbolPriceStatistics[] = [];
      for (let index = 0; index < page.length; index += listedAtOnce) {
        const some = page.slice(index, index + listedAtOnce);
        symbols.push(...(await Promise.all(some.map((one) => listed(book, one, window)))));
      }
      const last = left.length > page.length ? page.at(-1) : undefined;
      const nextPageToken = last === undefined ? '' : formatPricePageToken(last.symbol);
      return create(ListPriceStatisticsResponseSchema, { symbols, nextPageToken });
    },

    streamLatestPrices: (request, context) => streamLatestPrices(parts, request, context),
  };
}

function getPriceStatistics(
  { book, instruments }: PriceServiceParts,
  { symbol, exchange, statistic, period: duration }: GetPriceStatisticsRequest,
): GetPriceStatisticsResponse | Promise<GetPriceStatisticsResponse> {
  checkStatistic('statistic', statistic);
  const period = periodOf('period', duration);
  const found = instruments.find(symbol, exchange);
  const statistics = book.statistics(found.instruments, period);
  if (!(statistics instanceof Promise)) {
    return statisticsAnswer(found.symbol, statistic, statistics);
  }
  return statistics.then((known) => statisticsAnswer(found.symbol, statistic, known));
}

/** The latest of what other servers know, by (exchange time, exchange). */
async function sharedTrade(
  { shared }: PriceServiceParts,
  instruments: readonly InstrumentName[],
): Promise<Trade | undefined> {
  const trades = (await shared?.latest(instruments)) ?? [];
  return trades.toSorted((a, b) => a.exchangeTime - b.exchangeTime).at(-1);
}

function later(own: Trade | undefined, other: Trade | undefined): Trade | undefined {
  if (own === undefined || other === undefined) return own ?? other;
  return other.exchangeTime > own.exchangeTime ? other : own;
}

async function listed(
  book: PriceBook,
  { symbol, instruments }: PricedSymbol,
  window: Window,
): Promise<SymbolPriceStatistics> {
  const parts = await Promise.all(
    instruments.map(async (instrument) => book.part(instrument, window)),
  );
  return create(SymbolPriceStatisticsSchema, {
    symbol,
    overall: statisticsToMessage(symbol, '', statisticsOf(window, parts)),
    exchanges: parts.map((part) =>
      statisticsToMessage(symbol, part.exchange, statisticsOf(window, [part])),
    ),
  });
}

async function* streamLatestPrices(
  { book, instruments, broadcast }: PriceServiceParts,
  { symbols, exchange }: StreamLatestPricesRequest,
  context: HandlerContext,
): AsyncGenerator<StreamLatestPricesResponse> {
  const wanted = instruments.select(symbols, exchange);
  const selectAnew = () => instruments.selectKnown(symbols, exchange);
  using subscription = broadcast.subscribe(context, selectAnew);
  for (const instrument of wanted) {
    const trade = book.latestTrade([instrument]);
    if (trade === undefined) continue;
    const value = latestPriceToMessage(trade);
    yield create(StreamLatestPricesResponseSchema, { event: { case: 'latestPrice', value } });
  }
  yield create(StreamLatestPricesResponseSchema, { event: { case: 'snapshotEnd', value: {} } });
  yield* subscription.tail();
}
