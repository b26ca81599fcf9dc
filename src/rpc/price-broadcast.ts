import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import { StreamLatestPricesResponseSchema } from '../../gen/tradewind/market/v1/price_service_pb.ts';
import { repeat } from '../base/clock.ts';
import type { Clock, Timer } from '../base/clock.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Trade } from '../domain/trade.ts';
import type { MarketUpdate } from '../market/market-update.ts';
import { Broadcast } from './broadcast-stream.ts';
import type { ReaderLimits } from './broadcast-stream.ts';
import type { BroadcastSubscription } from './broadcast-subscription.ts';
import { timestampOf } from './messages.ts';
import { latestPriceToMessage } from './price-messages.ts';
import { ReaderIndex } from './reader-index.ts';
import { SharedFrame } from './shared-frame.ts';

/** How often the prices that changed go out: more than ten a second nobody can look at. */
const flushMs = 100;

/** Carries the latest prices to the readers of PriceService's stream, each at most once a flush. */
export class PriceBroadcast implements Disposable {
  readonly #latestTrade: (instrument: InstrumentName) => Trade | undefined;
  readonly #broadcast: Broadcast;
  readonly #readers = new ReaderIndex<InstrumentName>();
  readonly #changed = new Set<InstrumentName>();
  readonly #timer: Timer;

  constructor(
    latestTrade: (instrument: InstrumentName) => Trade | undefined,
    clock: Clock,
    limits: ReaderLimits = {},
  ) {
    this.#latestTrade = latestTrade;
    this.#broadcast = new Broadcast({
      ...limits,
      clock,
      heartbeat: () =>
        frameOf({ case: 'heartbeat', value: { time: timestampOf(clock.now()) } }, undefined),
    });
    this.#timer = repeat(clock, flushMs, () => this.#flush());
  }

  get size(): number {
    return this.#broadcast.size;
  }

  /** To be called for every update of the market, as it is published. */
  publish(update: MarketUpdate): void {
    if (update.type === 'trade' && this.#readers.of(update.instrument) !== undefined) {
      this.#changed.add(update.instrument);
    }
  }

  subscribe(
    context: HandlerContext,
    instruments: readonly InstrumentName[],
  ): BroadcastSubscription {
    let remove = () => {};
    const reader = this.#broadcast.subscribe(context, { onEnd: () => remove() });
    remove = this.#readers.add(instruments, reader);
    return reader;
  }

  #flush(): void {
    for (const instrument of this.#changed) {
      const readers = this.#readers.of(instrument);
      const trade = this.#latestTrade(instrument);
      if (readers === undefined || trade === undefined) continue;
      const value = latestPriceToMessage(trade);
      const frame = frameOf({ case: 'latestPrice', value }, instrument);
      for (const reader of readers) reader.push(frame);
    }
    this.#changed.clear();
  }

  /** Ends all streams. */
  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    this.#flush();
    this.#broadcast[Symbol.dispose]();
  }
}

function frameOf(
  event: MessageInitShape<typeof StreamLatestPricesResponseSchema>['event'],
  conflateKey: string | undefined,
): SharedFrame {
  return SharedFrame.of(
    StreamLatestPricesResponseSchema,
    create(StreamLatestPricesResponseSchema, event === undefined ? {} : { event }),
    conflateKey === undefined ? {} : { conflateKey },
  );
}
