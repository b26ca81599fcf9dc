import { create } from '@bufbuild/protobuf';
import type { HandlerContext, ServiceImpl } from '@connectrpc/connect';
import type { AggregatorService, StreamResponse } from '../../../gen/aggregator/aggregator_pb.ts';
import { StreamResponseSchema } from '../../../gen/aggregator/aggregator_pb.ts';
import type { Clock, Micros } from '../../base/clock.ts';
import { formatDecimal } from '../../base/decimal.ts';
import type { Candle } from '../../domain/candle.ts';
import { splitInstrumentName } from '../../domain/instrument.ts';
import type { ExchangeName } from '../../domain/instrument.ts';
import type { MarketUpdate } from '../../market/market-update.ts';
import { Broadcast } from '../broadcast/broadcast-stream.ts';
import type { ReaderLimits } from '../broadcast/broadcast-stream.ts';
import type { BroadcastSubscription } from '../broadcast/broadcast-subscription.ts';
import { timestampOf } from '../messages.ts';
import { SharedFrame } from '../broadcast/shared-frame.ts';

/** Serves aggregator.AggregatorService: closed 1m candles of the default exchange of the mode that is on, as doubles. */
export class AggregatorAdapter implements Disposable {
  readonly #defaultExchange: () => ExchangeName;
  readonly #broadcast: Broadcast;
  readonly #startTime: Micros;
  readonly #readers = new Set<BroadcastSubscription>();

  constructor(defaultExchange: () => ExchangeName, clock: Clock, limits: ReaderLimits = {}) {
    this.#defaultExchange = defaultExchange;
    this.#startTime = clock.now();
    // Its contract knows no heartbeat: a candle comes every minute.
    this.#broadcast = new Broadcast({ ...limits, clock, heartbeat: undefined });
  }

  readonly service: ServiceImpl<typeof AggregatorService> = {
    streamCandlesticks: (_request, context) => this.#stream(context),
  };

  publish(update: MarketUpdate): void {
    if (this.#readers.size === 0 || update.type !== 'candle') return;
    const { candle } = update;
    if (!candle.isClosed || candle.timeframe !== '1m') return;
    // The server reads its history at the start: its clients expect what closes, not what has closed.
    if (candle.closeTime < this.#startTime) return;
    const { exchange, symbol } = splitInstrumentName(candle.instrument);
    if (exchange !== this.#defaultExchange()) return;
    const frame = SharedFrame.of(StreamResponseSchema, messageOf(symbol, candle));
    for (const reader of this.#readers) reader.push(frame);
  }

  async *#stream(context: HandlerContext): AsyncGenerator<StreamResponse> {
    using subscription = this.#broadcast.subscribe(context, {
      onEnd: () => this.#readers.delete(subscription),
    });
    this.#readers.add(subscription);
    yield* subscription.tail();
  }

  [Symbol.dispose](): void {
    this.#broadcast[Symbol.dispose]();
  }
}

function messageOf(symbol: string, candle: Candle): StreamResponse {
  return create(StreamResponseSchema, {
    symbol,
    open: double(candle.open),
    high: double(candle.high),
    low: double(candle.low),
    close: double(candle.close),
    volume: double(candle.volume),
    timestamp: timestampOf(candle.openTime),
  });
}

/** The only place where a price becomes a float: this contract has no other numbers. */
function double(value: bigint): number {
  return Number(formatDecimal(value));
}
