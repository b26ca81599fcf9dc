import { create } from '@bufbuild/protobuf';
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { TimestampSchema } from '@bufbuild/protobuf/wkt';
import type { BookTicker as BookTickerMessage } from '../../gen/tradewind/market/v1/book_ticker_pb.ts';
import { BookTickerSchema } from '../../gen/tradewind/market/v1/book_ticker_pb.ts';
import type {
  Candle as CandleMessage,
  Gap as GapMessage,
} from '../../gen/tradewind/market/v1/candle_pb.ts';
import {
  CandleSchema,
  CandleSource as CandleSourceMessage,
  GapSchema,
  GapState as GapStateMessage,
  Timeframe as TimeframeMessage,
} from '../../gen/tradewind/market/v1/candle_pb.ts';
import type { Trade as TradeMessage } from '../../gen/tradewind/market/v1/trade_pb.ts';
import { Side, TradeSchema } from '../../gen/tradewind/market/v1/trade_pb.ts';
import type { Micros } from '../base/clock.ts';
import { formatDecimal, formatProduct, parseProduct, parseSum } from '../base/decimal.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import { lacksQuantities } from '../domain/candle.ts';
import type { Candle } from '../domain/candle.ts';
import type { Gap } from '../domain/gap.ts';
import { Refusal } from '../domain/refusal.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { timeframes } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';

// Between the nouns and the wire.

export function timestampOf(time: Micros): Timestamp {
  const seconds = Math.floor(time / 1_000_000);
  return create(TimestampSchema, {
    seconds: BigInt(seconds),
    nanos: (time - seconds * 1_000_000) * 1000,
  });
}

/** Truncates what is finer than a microsecond. */
export function microsOf(timestamp: Timestamp): Micros {
  return Number(timestamp.seconds) * 1_000_000 + Math.floor(timestamp.nanos / 1000);
}

const timeframeMessages: Readonly<Record<Timeframe, TimeframeMessage>> = {
  '1s': TimeframeMessage.S1,
  '1m': TimeframeMessage.M1,
  '3m': TimeframeMessage.M3,
  '5m': TimeframeMessage.M5,
  '15m': TimeframeMessage.M15,
  '30m': TimeframeMessage.M30,
  '1h': TimeframeMessage.H1,
  '2h': TimeframeMessage.H2,
  '4h': TimeframeMessage.H4,
  '6h': TimeframeMessage.H6,
  '8h': TimeframeMessage.H8,
  '12h': TimeframeMessage.H12,
  '1d': TimeframeMessage.D1,
  '3d': TimeframeMessage.D3,
  '1w': TimeframeMessage.W1,
  '1M': TimeframeMessage.MO1,
};

export function timeframeToMessage(timeframe: Timeframe): TimeframeMessage {
  return timeframeMessages[timeframe];
}

/** @throws Refusal for the unspecified and for unknown timeframes */
export function timeframeFromMessage(message: TimeframeMessage): Timeframe {
  const timeframe = timeframes.find((timeframe) => timeframeMessages[timeframe] === message);
  if (timeframe === undefined) {
    throw new Refusal(
      'invalid',
      `timeframe: expected one of ${timeframes.join(', ')}, got ${message}`,
    );
  }
  return timeframe;
}

export function candleToMessage(candle: Candle): CandleMessage {
  const message = create(CandleSchema);
  message.instrument = candle.instrument;
  message.timeframe = timeframeToMessage(candle.timeframe);
  message.openTime = timestampOf(candle.openTime);
  message.closeTime = timestampOf(candle.closeTime);
  message.open = formatDecimal(candle.open);
  message.high = formatDecimal(candle.high);
  message.low = formatDecimal(candle.low);
  message.close = formatDecimal(candle.close);
  message.volume = formatDecimal(candle.volume);
  message.quoteVolume = formatProduct(candle.quoteVolume);
  message.takerBuyVolume = formatDecimal(candle.takerBuyVolume);
  message.takerBuyQuoteVolume = formatProduct(candle.takerBuyQuoteVolume);
  message.tradeCount = BigInt(candle.tradeCount);
  if (candle.priceSum !== undefined) message.priceSum = formatDecimal(candle.priceSum);
  if (candle.firstTradeId !== undefined) message.firstTradeId = BigInt(candle.firstTradeId);
  if (candle.lastTradeId !== undefined) message.lastTradeId = BigInt(candle.lastTradeId);
  message.closed = candle.isClosed;
  message.complete = candle.isComplete;
  message.partial = candle.isPartial;
  message.revision = candle.revision;
  message.run = BigInt(candle.run);
  message.source =
    candle.source === 'trades' ? CandleSourceMessage.TRADES : CandleSourceMessage.KLINES;
  message.withoutQuantities = lacksQuantities(candle);
  return message;
}

/** @throws RangeError or Refusal for a message that no server of ours sends */
export function candleFromMessage(message: CandleMessage): Candle {
  if (message.openTime === undefined || message.closeTime === undefined) {
    throw new RangeError('Expected a candle with open_time and close_time');
  }
  return {
    instrument: message.instrument,
    timeframe: timeframeFromMessage(message.timeframe),
    openTime: microsOf(message.openTime),
    closeTime: microsOf(message.closeTime),
    open: parseSum(message.open),
    high: parseSum(message.high),
    low: parseSum(message.low),
    close: parseSum(message.close),
    volume: parseSum(message.volume),
    quoteVolume: parseProduct(message.quoteVolume),
    takerBuyVolume: parseSum(message.takerBuyVolume),
    takerBuyQuoteVolume: parseProduct(message.takerBuyQuoteVolume),
    tradeCount: Number(message.tradeCount),
    priceSum: message.priceSum === '' ? undefined : parseSum(message.priceSum),
    firstTradeId: message.firstTradeId === undefined ? undefined : Number(message.firstTradeId),
    lastTradeId: message.lastTradeId === undefined ? undefined : Number(message.lastTradeId),
    isClosed: message.closed,
    isComplete: message.complete,
    isPartial: message.partial,
    revision: message.revision,
    run: Number(message.run),
    source: message.source === CandleSourceMessage.KLINES ? 'klines' : 'trades',
  };
}

const gapStates = {
  open: GapStateMessage.OPEN,
  filled: GapStateMessage.FILLED,
  absent: GapStateMessage.ABSENT,
} as const;

export function gapToMessage(gap: Gap): GapMessage {
  return create(GapSchema, {
    instrument: gap.instrument,
    firstMissingId: BigInt(gap.firstMissingId),
    lastMissingId: BigInt(gap.lastMissingId),
    fromTime: timestampOf(gap.fromTime),
    toTime: timestampOf(gap.toTime),
    state: gapStates[gap.state],
  });
}

/** @throws RangeError for a message that no server of ours sends */
export function gapFromMessage(message: GapMessage): Gap {
  const state = (['open', 'filled', 'absent'] as const).find(
    (state) => gapStates[state] === message.state,
  );
  if (message.fromTime === undefined || message.toTime === undefined || state === undefined) {
    throw new RangeError('Expected a gap with from_time, to_time and state');
  }
  return {
    type: 'gap',
    instrument: message.instrument,
    firstMissingId: Number(message.firstMissingId),
    lastMissingId: Number(message.lastMissingId),
    fromTime: microsOf(message.fromTime),
    toTime: microsOf(message.toTime),
    state,
  };
}

const sides = { buy: Side.BUY, sell: Side.SELL } as const;

export function tradeToMessage(trade: Trade): TradeMessage {
  return create(TradeSchema, {
    instrument: trade.instrument,
    id: BigInt(trade.id),
    price: formatDecimal(trade.price),
    quantity: formatDecimal(trade.quantity),
    takerSide: trade.takerSide === undefined ? Side.UNSPECIFIED : sides[trade.takerSide],
    exchangeTime: timestampOf(trade.exchangeTime),
    receivedTime: timestampOf(trade.receivedTime),
    tradeCount: BigInt(trade.lastTradeId - trade.firstTradeId + 1),
    firstTradeId: BigInt(trade.firstTradeId),
    lastTradeId: BigInt(trade.lastTradeId),
  });
}

export function bookTickerToMessage(ticker: BookTicker): BookTickerMessage {
  return create(BookTickerSchema, {
    instrument: ticker.instrument,
    updateId: BigInt(ticker.updateId),
    bidPrice: formatDecimal(ticker.bidPrice),
    bidQuantity: formatDecimal(ticker.bidQuantity),
    askPrice: formatDecimal(ticker.askPrice),
    askQuantity: formatDecimal(ticker.askQuantity),
    receivedTime: timestampOf(ticker.receivedTime),
  });
}
