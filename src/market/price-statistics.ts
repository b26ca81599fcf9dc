import type { Micros } from '../base/clock.ts';
import { decimalScale, divideHalfEven } from '../base/decimal.ts';
import type { Decimal, Product } from '../base/decimal.ts';
import type { CandleSum } from '../domain/candle-sum.ts';
import { lacksQuantities } from '../domain/candle.ts';
import type { ExchangeName } from '../domain/instrument.ts';
import { ExchangeReasons } from './exchange-reasons.ts';
import type { WindowSum } from './price-pieces.ts';
import type { Window } from './price-window.ts';

/** A price, and the exchange it was traded on. */
export type PriceOn = { readonly price: Decimal; readonly exchange: ExchangeName };

/** What was traded of a symbol in a window. Averages and percents are rounded half to even. */
export type PriceStatistics = {
  /** The exchanges that are counted, by name. */
  readonly exchanges: readonly ExchangeName[];
  readonly window: Window;
  /**
   * What of the window is covered, on any of the exchanges: the earliest and the latest instant of
   * what is counted. Both are the window’s end where nothing is covered.
   */
  readonly from: Micros;
  readonly to: Micros;
  readonly isComplete: boolean;
  /** Why it is not complete, or something is not known, in words; empty where neither is so. */
  readonly reason: string;
  /** The prices of the first, last, highest and lowest trade; undefined where there was none. */
  readonly first: PriceOn | undefined;
  readonly last: PriceOn | undefined;
  readonly highest: PriceOn | undefined;
  readonly lowest: PriceOn | undefined;
  /** undefined where there was no trade, and where it is not known. */
  readonly average: Decimal | undefined;
  readonly volumeWeightedAverage: Decimal | undefined;
  /** last − first, and that in percent of first. */
  readonly change: Decimal | undefined;
  readonly changePercent: Decimal | undefined;
  readonly tradeCount: number;
  /** undefined where they are not known of all that is counted. */
  readonly volume: Decimal | undefined;
  readonly quoteVolume: Product | undefined;
  /** Why the average, or the volumes and what is made of them, are not known; empty where they are. */
  readonly whyNoAverage: string;
  readonly whyNoVolumes: string;
};

/** What one exchange has of the window; `trouble` says why it may not be all. */
export type ExchangePart = WindowSum & {
  readonly exchange: ExchangeName;
  readonly trouble: string;
};

const hundred = 100n * 10n ** BigInt(decimalScale);

/** Puts the exchanges’ parts, by name, together: sums are added, averages are made of the sums. */
export function statisticsOf(window: Window, parts: readonly ExchangePart[]): PriceStatistics {
  let tradeCount = 0;
  let volume = 0n;
  let quoteVolume = 0n;
  let priceSum = 0n;
  // One that covers nothing takes nothing from the others.
  let from = window.to;
  let to = window.from;
  let isComplete = true;
  const missing = new ExchangeReasons();
  const noAverage = new ExchangeReasons();
  const noVolumes = new ExchangeReasons();
  let firstPart: ExchangePart | undefined;
  let lastPart: ExchangePart | undefined;
  let highestPart: ExchangePart | undefined;
  let lowestPart: ExchangePart | undefined;
  for (const part of parts) {
    const { sum, exchange, trouble } = part;
    from = Math.min(from, part.from);
    to = Math.max(to, part.to);
    if (!part.isWhole || trouble !== '') {
      isComplete = false;
      missing.add(exchange, trouble === '' ? incompleteness(window, part) : trouble);
    }
    if (sum.tradeCount === 0) continue;
    tradeCount += sum.tradeCount;
    volume += sum.volume;
    quoteVolume += sum.quoteVolume;
    priceSum += sum.priceSum;
    if (firstPart === undefined || sum.openTradeTime < firstPart.sum.openTradeTime)
      firstPart = part;
    // Of two at the same time the later name's is the last one.
    if (lastPart === undefined || sum.closeTradeTime >= lastPart.sum.closeTradeTime)
      lastPart = part;
    if (highestPart === undefined || sum.high > highestPart.sum.high) highestPart = part;
    if (lowestPart === undefined || sum.low < lowestPart.sum.low) lowestPart = part;
    if (sum.source === 'klines') {
      noAverage.add(exchange, 'the average is not known, for klines do not tell it');
    }
    if (lacksQuantities(sum)) {
      noVolumes.add(exchange, 'volumes are not known, for prices come without quantities');
    }
  }
  const first = priceOn(firstPart, ({ open }) => open);
  const last = priceOn(lastPart, ({ close }) => close);
  const change = first && last && last.price - first.price;
  const areVolumesKnown = noVolumes.isEmpty;
  const [whyNoAverage, whyNoVolumes] = [String(noAverage), String(noVolumes)];
  return {
    exchanges: parts.map(({ exchange }) => exchange),
    window,
    from,
    to: Math.max(from, to),
    isComplete,
    reason: [String(missing), whyNoAverage, whyNoVolumes].filter((one) => one !== '').join('; '),
    first,
    last,
    highest: priceOn(highestPart, ({ high }) => high),
    lowest: priceOn(lowestPart, ({ low }) => low),
    average:
      noAverage.isEmpty && tradeCount > 0
        ? divideHalfEven(priceSum, BigInt(tradeCount))
        : undefined,
    volumeWeightedAverage:
      areVolumesKnown && volume > 0n ? divideHalfEven(quoteVolume, volume) : undefined,
    change,
    changePercent:
      first && change !== undefined ? divideHalfEven(change * hundred, first.price) : undefined,
    tradeCount,
    volume: areVolumesKnown ? volume : undefined,
    quoteVolume: areVolumesKnown ? quoteVolume : undefined,
    whyNoAverage,
    whyNoVolumes,
  };
}

function priceOn(
  part: ExchangePart | undefined,
  priceOf: (sum: CandleSum) => Decimal,
): PriceOn | undefined {
  return part && { price: priceOf(part.sum), exchange: part.exchange };
}

function incompleteness(window: Window, { from, to, lacksTrades }: ExchangePart): string {
  if (from >= window.to) return 'nothing is known of this time';
  if (from > window.from) return `not all is known before ${new Date(from / 1000).toISOString()}`;
  if (to < window.to) return `not all is known since ${new Date(to / 1000).toISOString()}`;
  return lacksTrades ? 'trades are missing' : 'not all of it was observed';
}
