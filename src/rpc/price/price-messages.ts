import { create } from '@bufbuild/protobuf';
import type { Duration } from '@bufbuild/protobuf/wkt';
import { DurationSchema } from '@bufbuild/protobuf/wkt';
import type {
  GetPriceStatisticsResponse,
  LatestPrice,
  PriceStatistics as PriceStatisticsMessage,
} from '../../../gen/tradewind/market/v1/price_service_pb.ts';
import {
  GetPriceStatisticsResponseSchema,
  LatestPriceSchema,
  PriceStatisticsSchema,
} from '../../../gen/tradewind/market/v1/price_service_pb.ts';
import type { Micros } from '../../base/clock.ts';
import { formatDecimal, formatProduct } from '../../base/decimal.ts';
import type { Decimal } from '../../base/decimal.ts';
import { splitInstrumentName } from '../../domain/instrument.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Trade } from '../../domain/trade.ts';
import type { PriceOn, PriceStatistics } from '../../market/price-statistics.ts';
import { checkPeriod, defaultPeriod } from '../../market/price-window.ts';
import { timestampOf } from '../messages.ts';

/**
 * How far back a request asks for. The rule of a duration would cost 10 µs a request, and would not
 * say that it must be whole seconds.
 * @throws Refusal naming the field and what is allowed
 */
export function periodOf(field: string, duration: Duration | undefined): Micros {
  if (duration === undefined) return defaultPeriod;
  const period = Number(duration.seconds) * 1_000_000 + duration.nanos / 1000;
  checkPeriod(field, period);
  return period;
}

export function latestPriceToMessage(trade: Trade): LatestPrice {
  const { exchange = '', symbol } = splitInstrumentName(trade.instrument);
  return create(LatestPriceSchema, {
    exchange,
    symbol,
    price: formatDecimal(trade.price),
    timestamp: timestampOf(trade.exchangeTime),
    tradeId: BigInt(trade.id),
    receivedTime: timestampOf(trade.receivedTime),
  });
}

/** `exchange` is that of a single one; empty: all that are counted. */
export function statisticsToMessage(
  symbol: string,
  exchange: string,
  statistics: PriceStatistics,
): PriceStatisticsMessage {
  const { window, first, last, highest, lowest } = statistics;
  const message = create(PriceStatisticsSchema);
  message.exchange = exchange;
  message.symbol = symbol;
  message.exchanges = [...statistics.exchanges];
  message.period = create(DurationSchema, {
    seconds: BigInt((window.to - window.from) / 1_000_000),
  });
  message.windowStart = timestampOf(window.from);
  message.windowEnd = timestampOf(window.to);
  // Most windows are covered from end to end, and what is the same need not be made twice.
  const { from, to } = statistics;
  message.from = from === window.from ? message.windowStart : timestampOf(from);
  message.to = to === window.to ? message.windowEnd : timestampOf(to);
  message.complete = statistics.isComplete;
  if (first !== undefined) message.first = formatDecimal(first.price);
  if (last !== undefined) message.last = formatDecimal(last.price);
  if (highest !== undefined) message.highest = formatDecimal(highest.price);
  if (lowest !== undefined) message.lowest = formatDecimal(lowest.price);
  const { average, volumeWeightedAverage, change, changePercent } = statistics;
  if (average !== undefined) message.average = formatDecimal(average);
  if (volumeWeightedAverage !== undefined) {
    message.volumeWeightedAverage = formatDecimal(volumeWeightedAverage);
  }
  if (change !== undefined) message.change = formatDecimal(change);
  if (changePercent !== undefined) message.changePercent = formatDecimal(changePercent);
  message.tradeCount = BigInt(statistics.tradeCount);
  const { volume, quoteVolume } = statistics;
  if (volume !== undefined) message.volume = formatDecimal(volume);
  if (quoteVolume !== undefined) message.quoteVolume = formatProduct(quoteVolume);
  message.reason = statistics.reason;
  return message;
}

/** What a request may name as its statistic, and where it was traded: undefined for an average. */
const statisticNames: Readonly<
  Record<string, (statistics: PriceStatistics) => PriceOn | Decimal | undefined>
> = {
  first: ({ first }) => first,
  last: ({ last }) => last,
  highest: ({ highest }) => highest,
  lowest: ({ lowest }) => lowest,
  average: ({ average }) => average,
  volume_weighted_average: ({ volumeWeightedAverage }) => volumeWeightedAverage,
};

/** @throws Refusal for another name */
export function checkStatistic(field: string, name: string): void {
  if (name === '' || Object.hasOwn(statisticNames, name)) return;
  const known = Object.keys(statisticNames).join(', ');
  throw new Refusal('invalid', `${field}: expected ${known}, got ${JSON.stringify(name)}`, {
    field,
  });
}

/**
 * The answer whose price is the statistic that was asked for.
 * @throws Refusal where it cannot be known although there were trades
 */
export function statisticsAnswer(
  symbol: string,
  statistic: string,
  statistics: PriceStatistics,
): GetPriceStatisticsResponse {
  const name = statistic === '' ? 'last' : statistic;
  const value = statisticNames[name]?.(statistics);
  if (value === undefined && statistics.tradeCount > 0) {
    // Of an average alone it may be that it is not known.
    const why = name === 'average' ? statistics.whyNoAverage : statistics.whyNoVolumes;
    throw new Refusal('failedPrecondition', `statistic: ${name}: ${why}`, { field: 'statistic' });
  }
  const { exchanges } = statistics;
  const [single] = exchanges;
  const response = create(GetPriceStatisticsResponseSchema);
  response.symbol = symbol;
  response.exchange = typeof value === 'object' ? value.exchange : exchanges.join(',');
  if (typeof value === 'object') response.price = formatDecimal(value.price);
  else if (value !== undefined) response.price = formatDecimal(value);
  const exchange = exchanges.length === 1 ? (single ?? '') : '';
  const message = statisticsToMessage(symbol, exchange, statistics);
  response.statistics = message;
  if (message.to !== undefined) response.timestamp = message.to;
  return response;
}
