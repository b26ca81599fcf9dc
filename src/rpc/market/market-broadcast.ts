import { create } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import {
  StreamBookTickersResponseSchema,
  StreamCandlesResponseSchema,
  StreamTradesResponseSchema,
} from '../../../gen/tradewind/market/v1/market_service_pb.ts';
import type { Clock } from '../../base/clock.ts';
import type { BookTicker } from '../../domain/book-ticker.ts';
import type { Candle } from '../../domain/candle.ts';
import type { Gap } from '../../domain/gap.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { Trade } from '../../domain/trade.ts';
import { logKey } from '../../market/candle-log.ts';
import type { CandleLog, LogKey } from '../../market/candle-log.ts';
import type { MarketUpdate } from '../../market/market-update.ts';
import { Broadcast } from '../broadcast/broadcast-stream.ts';
import type { ReaderLimits } from '../broadcast/broadcast-stream.ts';
import type { BroadcastSubscription } from '../broadcast/broadcast-subscription.ts';
import { formatCursor } from './cursor.ts';
import {
  bookTickerToMessage,
  candleToMessage,
  gapToMessage,
  timestampOf,
  tradeToMessage,
} from '../messages.ts';
import { ReaderIndex } from '../broadcast/reader-index.ts';
import { SharedFrame } from '../broadcast/shared-frame.ts';

/** Carries the market's updates to the readers of MarketService's three streams. */
export class MarketBroadcast implements Disposable {
  readonly #log: CandleLog;
  readonly #candles: Broadcast;
  readonly #trades: Broadcast;
  readonly #bookTickers: Broadcast;
  readonly #closedReaders = new ReaderIndex<LogKey>();
  readonly #openReaders = new ReaderIndex<LogKey>();
  readonly #tradeReaders = new ReaderIndex<InstrumentName>();
  readonly #bookTickerReaders = new ReaderIndex<InstrumentName>();

  constructor(log: CandleLog, clock: Clock, limits: ReaderLimits = {}) {
    this.#log = log;
    const heartbeat = () => ({
      cursor: this.cursor,
      event: { case: 'heartbeat' as const, value: { time: timestampOf(clock.now()) } },
    });
    this.#candles = new Broadcast({
      ...limits,
      clock,
      heartbeat: () =>
        SharedFrame.of(
          StreamCandlesResponseSchema,
          create(StreamCandlesResponseSchema, heartbeat()),
        ),
    });
    this.#trades = new Broadcast({
      ...limits,
      clock,
      heartbeat: () =>
        SharedFrame.of(StreamTradesResponseSchema, create(StreamTradesResponseSchema, heartbeat())),
    });
    this.#bookTickers = new Broadcast({
      ...limits,
      clock,
      heartbeat: () =>
        SharedFrame.of(
          StreamBookTickersResponseSchema,
          create(StreamBookTickersResponseSchema, heartbeat()),
        ),
    });
  }

  /** Where the streams are now. */
  get cursor(): string {
    return formatCursor(this.#log.position);
  }

  /** Readers, and how many have been cut off for being too slow, by stream. */
  get statistics(): Readonly<Record<string, { readers: number; overflows: number }>> {
    return Object.fromEntries(
      Object.entries({
        candles: this.#candles,
        trades: this.#trades,
        book_tickers: this.#bookTickers,
      }).map(([stream, { size, overflows }]) => [stream, { readers: size, overflows }]),
    );
  }

  /** A reader of candles, who is pushed none before `begin`. */
  subscribeCandles(context: HandlerContext): {
    readonly subscription: BroadcastSubscription;
    readonly begin: (keys: readonly LogKey[], openKeys: readonly LogKey[]) => void;
  } {
    const { reader, enlist } = subscribe(this.#candles, context);
    const begin = (keys: readonly LogKey[], openKeys: readonly LogKey[]) => {
      enlist(() => this.#closedReaders.add(keys, reader));
      enlist(() => this.#openReaders.add(openKeys, reader));
    };
    return { subscription: reader, begin };
  }

  subscribeTrades(
    context: HandlerContext,
    instruments: readonly InstrumentName[],
  ): BroadcastSubscription {
    const { reader, enlist } = subscribe(this.#trades, context);
    enlist(() => this.#tradeReaders.add(instruments, reader));
    return reader;
  }

  subscribeBookTickers(
    context: HandlerContext,
    instruments: readonly InstrumentName[],
  ): BroadcastSubscription {
    const { reader, enlist } = subscribe(this.#bookTickers, context);
    enlist(() => this.#bookTickerReaders.add(instruments, reader));
    return reader;
  }

  /** To be called for every update of the market, as it is published. */
  publish(update: MarketUpdate): void {
    switch (update.type) {
      case 'candle':
        return this.#publishCandle(update.candle);
      case 'gap':
        return this.#publishGap(update);
      case 'trade':
        return this.#publishTrade(update);
      case 'bookTicker':
        return this.#publishBookTicker(update);
      default:
        update satisfies never;
    }
  }

  #publishCandle(candle: Candle): void {
    const key = logKey(candle.instrument, candle.timeframe);
    const readers = (candle.isClosed ? this.#closedReaders : this.#openReaders).of(key);
    if (readers === undefined) return;
    // One open candle at most waits for a slow reader; its close makes it pointless.
    const openKey = `${key} ${candle.openTime}`;
    const frame = SharedFrame.of(
      StreamCandlesResponseSchema,
      create(StreamCandlesResponseSchema, {
        cursor: this.cursor,
        event: { case: 'candle', value: candleToMessage(candle) },
      }),
      candle.isClosed ? { supersedes: openKey } : { conflateKey: openKey },
    );
    for (const reader of readers) reader.push(frame);
  }

  #publishGap(gap: Gap): void {
    const event = { case: 'gap' as const, value: gapToMessage(gap) };
    const candleReaders = this.#closedReaders.of(logKey(gap.instrument, 'gap'));
    if (candleReaders !== undefined) {
      const message = create(StreamCandlesResponseSchema, { cursor: this.cursor, event });
      const frame = SharedFrame.of(StreamCandlesResponseSchema, message);
      for (const reader of candleReaders) reader.push(frame);
    }
    const tradeReaders = this.#tradeReaders.of(gap.instrument);
    if (tradeReaders !== undefined) {
      const message = create(StreamTradesResponseSchema, { cursor: this.cursor, event });
      const frame = SharedFrame.of(StreamTradesResponseSchema, message);
      for (const reader of tradeReaders) reader.push(frame);
    }
  }

  #publishTrade(trade: Trade): void {
    const readers = this.#tradeReaders.of(trade.instrument);
    if (readers === undefined) return;
    const message = create(StreamTradesResponseSchema, {
      cursor: this.cursor,
      event: { case: 'trade', value: tradeToMessage(trade) },
    });
    const frame = SharedFrame.of(StreamTradesResponseSchema, message);
    for (const reader of readers) reader.push(frame);
  }

  #publishBookTicker(ticker: BookTicker): void {
    const readers = this.#bookTickerReaders.of(ticker.instrument);
    if (readers === undefined) return;
    const message = create(StreamBookTickersResponseSchema, {
      cursor: this.cursor,
      event: { case: 'bookTicker', value: bookTickerToMessage(ticker) },
    });
    const frame = SharedFrame.of(StreamBookTickersResponseSchema, message, {
      conflateKey: ticker.instrument,
    });
    for (const reader of readers) reader.push(frame);
  }

  /** Ends all streams; each tells where it ended by a last heartbeat. */
  [Symbol.dispose](): void {
    for (const broadcast of [this.#candles, this.#trades, this.#bookTickers]) broadcast.beat();
    this.#candles[Symbol.dispose]();
    this.#trades[Symbol.dispose]();
    this.#bookTickers[Symbol.dispose]();
  }
}

/** Adds a reader, who is enlisted for one thing after the other, until its stream ends. */
function subscribe(broadcast: Broadcast, context: HandlerContext) {
  const delist: (() => void)[] = [];
  const reader = broadcast.subscribe(context, {
    onEnd: () => {
      for (const remove of delist) remove();
    },
  });
  const enlist = (add: () => () => void): void => {
    if (!reader.isEnded) delist.push(add());
  };
  return { reader, enlist };
}
