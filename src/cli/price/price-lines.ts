import { styleText } from 'node:util';
import type {
  GetLatestPriceResponse,
  LatestPrice,
  PriceStatistics,
} from '../../../gen/tradewind/market/v1/price_service_pb.ts';
import { timeOf } from '../rfc3339.ts';
import { tableLines } from '../table.ts';
import type { Column } from '../table.ts';

/** The latest price of a symbol and what it was over a period, a line each. */
export function* priceLines(
  latest: GetLatestPriceResponse,
  statistics: PriceStatistics,
): Iterable<string> {
  const bold = (text: string) => styleText('bold', text, { stream: process.stdout });
  const { exchange, price, timestamp, cached } = latest;
  const from = cached ? `${exchange}, as another server heard it` : exchange;
  yield `${bold(`${latest.symbol} ${price}`)} on ${from}, ${timeOf(timestamp)}`;
  yield `${timeOf(statistics.from)} to ${timeOf(statistics.to)}, ${statistics.exchanges.join(', ')}`;
  const { change, changePercent } = statistics;
  const rows: readonly (readonly [name: string, value: string | undefined])[] = [
    ['first', statistics.first],
    ['last', statistics.last],
    ['highest', statistics.highest],
    ['lowest', statistics.lowest],
    ['average', statistics.average],
    ['weighted by volume', statistics.volumeWeightedAverage],
    ['change', change === undefined ? undefined : `${change} (${percent(changePercent)})`],
    ['trades', String(statistics.tradeCount)],
    ['volume', statistics.volume],
    ['in quote', statistics.quoteVolume],
  ];
  for (const [name, value = '-'] of rows) yield `  ${name.padEnd(20)}${value}`;
  if (statistics.reason !== '') yield `  ${statistics.reason}`;
}

/** A table of statistics, a line for each symbol on each exchange. */
export function boardLines(found: readonly PriceStatistics[]): Iterable<string> {
  const columns: readonly Column[] = [
    { title: 'SYMBOL', align: 'left' },
    { title: 'EXCHANGE', align: 'left' },
    { title: 'LAST', align: 'right' },
    { title: 'CHANGE', align: 'right' },
    { title: 'HIGHEST', align: 'right' },
    { title: 'LOWEST', align: 'right' },
    { title: 'VOLUME', align: 'right' },
    { title: 'TRADES', align: 'right' },
    { title: 'WHY NOT ALL', align: 'left' },
  ];
  const rows = found.map((each) => [
    each.symbol,
    each.exchange,
    each.last ?? '-',
    percent(each.changePercent),
    each.highest ?? '-',
    each.lowest ?? '-',
    each.volume ?? '-',
    String(each.tradeCount),
    each.reason,
  ]);
  return tableLines(columns, rows);
}

/** One object for programs, named as in the contract. */
export function statisticsToJson(
  statistics: PriceStatistics,
  latest: GetLatestPriceResponse | undefined,
): string {
  const { windowStart, windowEnd, from, to } = statistics;
  return JSON.stringify({
    exchange: statistics.exchange,
    symbol: statistics.symbol,
    ...(latest && {
      price: latest.price,
      price_exchange: latest.exchange,
      timestamp: timeOf(latest.timestamp),
      cached: latest.cached,
    }),
    exchanges: statistics.exchanges,
    window_start: timeOf(windowStart),
    window_end: timeOf(windowEnd),
    from: timeOf(from),
    to: timeOf(to),
    complete: statistics.complete,
    first: statistics.first,
    last: statistics.last,
    highest: statistics.highest,
    lowest: statistics.lowest,
    average: statistics.average,
    volume_weighted_average: statistics.volumeWeightedAverage,
    change: statistics.change,
    change_percent: statistics.changePercent,
    trade_count: Number(statistics.tradeCount),
    volume: statistics.volume,
    quote_volume: statistics.quoteVolume,
    reason: statistics.reason,
  });
}

export function latestToJson({ exchange, symbol, price, timestamp }: LatestPrice): string {
  return JSON.stringify({ exchange, symbol, price, timestamp: timeOf(timestamp) });
}

/** Two decimals are enough for people: the exact one is in the JSON. */
function percent(value: string | undefined): string {
  return value === undefined ? '-' : `${Number(value).toFixed(2)} %`;
}
