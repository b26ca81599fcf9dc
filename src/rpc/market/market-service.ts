import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type {
  CandleSelection,
  MarketService,
  StreamBookTickersRequest,
  StreamBookTickersResponse,
  StreamCandlesRequest,
  StreamCandlesResponse,
  StreamTradesRequest,
  StreamTradesResponse,
} from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import {
  ListCandlesResponseSchema,
  ListInstrumentsResponseSchema,
  StreamBookTickersResponseSchema,
  StreamCandlesResponseSchema,
  StreamTradesResponseSchema,
} from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import type { Clock } from '../../base/clock.ts';
import type { Candle } from '../../domain/candle.ts';
import type { InstrumentLimits, InstrumentName } from '../../domain/instrument.ts';
import { simulatedPrefix } from '../../domain/mode.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { Timeframe } from '../../domain/timeframe.ts';
import { logKey } from '../../market/candle-log.ts';
import type { CandleLog, LogEntry, LogKey, LogPosition } from '../../market/candle-log.ts';
import type { InstrumentStatus } from '../../market/instrument-state.ts';
import type { Market } from '../../market/market.ts';
import { entriesAfter, latestEntries, positionAfter, retainedEntries } from './candle-entries.ts';
import type { Snapshot } from './candle-entries.ts';
import { formatCursor, parseCursor } from './cursor.ts';
import type { InstrumentDirectory } from '../instrument-directory.ts';
import { instrumentToMessage } from './instrument-message.ts';
import type { AuditCounts } from './instrument-message.ts';
import { listCandles } from './list-candles.ts';
import type { CandleHistory } from './list-candles.ts';
import type { MarketBroadcast } from './market-broadcast.ts';
import {
  bookTickerToMessage,
  candleToMessage,
  gapToMessage,
  microsOf,
  timeframeFromMessage,
  tradeToMessage,
} from '../messages.ts';

export type MarketServiceParts = {
  readonly market: Market;
  readonly broadcast: MarketBroadcast;
  readonly directory: InstrumentDirectory;
  /** Stored candles; undefined where the server has no store. */
  readonly history: CandleHistory | undefined;
  readonly clock: Clock;
  /** What the exchange's adapter knows of an instrument. */
  readonly limitsOf: (instrument: InstrumentName) => InstrumentLimits | undefined;
  readonly auditOf: (instrument: InstrumentName) => AuditCounts;
  /** Settles when what was before the start has been read, or it takes too long. */
  readonly whenHistoryRead: (signal: AbortSignal) => Promise<void>;
  /** How all instruments' feeds are. */
  readonly statuses: () => readonly InstrumentStatus[];
};

/** They go out in milliseconds: a reader that is so far behind has as good as caught up. */
const fewEntries = 100;

/** ListCandles answers this many where the request does not say. */
const defaultPageSize = 500;

/** MarketService over the market and what is stored of it. */
export function marketService(parts: MarketServiceParts): ServiceImpl<typeof MarketService> {
  const { market, directory, history } = parts;
  return {
    streamCandles: (request, context) => streamCandles(parts, request, context),
    streamTrades: (request, context) => streamTrades(parts, request, context),
    streamBookTickers: (request, context) => streamBookTickers(parts, request, context),

    async listCandles(request) {
      const { startTime, endTime, pageSize, pageToken, newestFirst } = request;
      const { candles, ...rest } = await listCandles(market.log, history, {
        instrument: directory.resolve('instrument', request.instrument),
        timeframe: timeframeFromMessage(request.timeframe),
        from: startTime && microsOf(startTime),
        to: endTime && microsOf(endTime),
        limit: pageSize === 0 ? defaultPageSize : pageSize,
        pageToken,
        newestFirst,
      });
      return create(ListCandlesResponseSchema, { ...rest, candles: candles.map(candleToMessage) });
    },

    listInstruments({ exchange }) {
      const wanted = [exchange, simulatedPrefix + exchange];
      const instruments = parts
        .statuses()
        .map((status) =>
          instrumentToMessage(
            status,
            parts.limitsOf(status.instrument),
            parts.auditOf(status.instrument),
          ),
        )
        .filter((message) => exchange === '' || wanted.includes(message.exchange));
      if (instruments.length === 0 && exchange !== '') {
        throw new Refusal('notFound', `exchange: ${JSON.stringify(exchange)} is not followed here`);
      }
      return create(ListInstrumentsResponseSchema, { instruments });
    },
  };
}

type Selected = { readonly instrument: InstrumentName; readonly timeframe: Timeframe };

async function* streamCandles(
  { market, broadcast, directory, clock, whenHistoryRead }: MarketServiceParts,
  request: StreamCandlesRequest,
  context: HandlerContext,
): AsyncGenerator<StreamCandlesResponse> {
  const { log } = market;
  const resumed =
    request.resumeAfter === '' ? undefined : parseCursor('resume_after', request.resumeAfter);
  // What another run has published is there when the history has been read.
  if (resumed !== undefined && resumed.run !== log.position.run) {
    await whenHistoryRead(context.signal);
  }
  const selected = selectedBy(directory, request.selections);
  const keys = [
    ...selected.map(({ instrument, timeframe }) => logKey(instrument, timeframe)),
    ...new Set(selected.map(({ instrument }) => logKey(instrument, 'gap'))),
  ];
  const snapshot = snapshotOf(log, keys, resumed, request.includeRetained);
  const { subscription: reader, begin } = broadcast.subscribeCandles(context);
  using subscription = reader;
  const messageOf = (entry: LogEntry, isRepeat: boolean) => {
    const position = positionAfter(log, entry, resumed ?? log.position);
    return entryMessage(entry, formatCursor(position), isRepeat);
  };
  let seen = log.position;
  for (const entry of snapshot.entries) yield messageOf(entry, snapshot.isRepeat);
  // A start publishes history faster than a snapshot goes out: it is read on in the log, where it costs
  // nothing, until the rest is so little that what comes meanwhile may wait.
  let missed = entriesAfter(log, keys, seen).entries;
  while (missed.length > fewEntries) {
    seen = log.position;
    for (const entry of missed) yield messageOf(entry, false);
    missed = entriesAfter(log, keys, seen).entries;
  }
  begin(keys, request.includeOpen ? keys : []);
  const now = clock.now();
  const open = request.includeOpen
    ? selected
        .map(({ instrument, timeframe }) => market.openCandle(instrument, timeframe, now))
        .filter((candle) => candle !== undefined)
    : [];
  const { cursor } = broadcast;
  for (const entry of missed) yield messageOf(entry, false);
  for (const candle of open) yield candleMessage(candle, cursor);
  yield create(StreamCandlesResponseSchema, { cursor, event: { case: 'snapshotEnd', value: {} } });
  yield* subscription.tail();
}

async function* streamTrades(
  { market, broadcast, directory }: MarketServiceParts,
  request: StreamTradesRequest,
  context: HandlerContext,
): AsyncGenerator<StreamTradesResponse> {
  const instruments = directory.resolveAll('instruments', request.instruments);
  using subscription = broadcast.subscribeTrades(context, instruments);
  const trades = instruments
    .map((name) => market.lastTrade(name))
    .filter((trade) => trade !== undefined);
  const { cursor } = broadcast;
  for (const trade of trades) {
    yield create(StreamTradesResponseSchema, {
      cursor,
      event: { case: 'trade', value: tradeToMessage(trade) },
    });
  }
  yield create(StreamTradesResponseSchema, { cursor, event: { case: 'snapshotEnd', value: {} } });
  yield* subscription.tail();
}

async function* streamBookTickers(
  { market, broadcast, directory }: MarketServiceParts,
  request: StreamBookTickersRequest,
  context: HandlerContext,
): AsyncGenerator<StreamBookTickersResponse> {
  const instruments = directory.resolveAll('instruments', request.instruments);
  using subscription = broadcast.subscribeBookTickers(context, instruments);
  const tickers = instruments
    .map((name) => market.bookTicker(name))
    .filter((ticker) => ticker !== undefined);
  const { cursor } = broadcast;
  for (const ticker of tickers) {
    yield create(StreamBookTickersResponseSchema, {
      cursor,
      event: { case: 'bookTicker', value: bookTickerToMessage(ticker) },
    });
  }
  yield create(StreamBookTickersResponseSchema, {
    cursor,
    event: { case: 'snapshotEnd', value: {} },
  });
  yield* subscription.tail();
}

/** What the selections mean, each once; an empty instrument means all, of either mode. */
function selectedBy(
  directory: InstrumentDirectory,
  selections: readonly CandleSelection[],
): readonly Selected[] {
  const selected = selections.flatMap((selection) => {
    const timeframe = timeframeFromMessage(selection.timeframe);
    const names =
      selection.instrument === ''
        ? directory.allNames
        : [directory.resolve('selections.instrument', selection.instrument)];
    return names.map((instrument) => ({ instrument, timeframe }));
  });
  return [...new Map(selected.map((one) => [logKey(one.instrument, one.timeframe), one])).values()];
}

function snapshotOf(
  log: CandleLog,
  keys: readonly LogKey[],
  resumed: LogPosition | undefined,
  isRetainedWanted: boolean,
): Snapshot {
  if (resumed === undefined) return (isRetainedWanted ? retainedEntries : latestEntries)(log, keys);
  if (!isRetainedWanted) return entriesAfter(log, keys, resumed);
  throw new Refusal('invalid', 'include_retained: expected false together with resume_after');
}

function entryMessage(entry: LogEntry, cursor: string, repeat: boolean): StreamCandlesResponse {
  if (entry.type === 'candle') return candleMessage(entry.candle, cursor, repeat);
  return create(StreamCandlesResponseSchema, {
    cursor,
    repeat,
    event: { case: 'gap', value: gapToMessage(entry.gap) },
  });
}

function candleMessage(candle: Candle, cursor: string, repeat = false): StreamCandlesResponse {
  return create(StreamCandlesResponseSchema, {
    cursor,
    repeat,
    event: { case: 'candle', value: candleToMessage(candle) },
  });
}
