import { create } from '@bufbuild/protobuf';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import { StreamLatestPricesResponseSchema } from '../../../gen/tradewind/market/v1/price_service_pb.ts';
import { repeat } from '../../base/clock.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { Trade } from '../../domain/trade.ts';
import type { MarketUpdate } from '../../market/market-update.ts';
import { Broadcast } from '../broadcast/broadcast-stream.ts';
import type { ReaderLimits } from '../broadcast/broadcast-stream.ts';
import type { BroadcastSubscription } from '../broadcast/broadcast-subscription.ts';
import { timestampOf } from '../messages.ts';
import { latestPriceToMessage } from './price-messages.ts';
import { ReaderIndex } from '../broadcast/reader-index.ts';
import { SharedFrame } from '../broadcast/shared-frame.ts';

/** How often the prices that changed go out: more than ten a second nobody can look at. */
const flushMs = 100;

export type PriceBroadcastParts = {
  readonly latestTrade: (instrument: InstrumentName) => Trade | undefined;
  /** The instruments that are followed now; another array after each change. */
  readonly names: () => readonly InstrumentName[];
  readonly clock: Clock;
  readonly limits?: ReaderLimits;
};

/** What a reader wants, as of the names that are followed now. */
type Selection = () => readonly InstrumentName[];

type Reader = {
  readonly subscription: BroadcastSubscription;
  readonly select: Selection;
  selected: readonly InstrumentName[];
  /** Takes it out of the index. */
  remove: () => void;
};

/** Carries the latest prices to the readers of PriceService’s stream, each at most once a flush. */
export class PriceBroadcast implements Disposable {
  readonly #parts: PriceBroadcastParts;
  readonly #broadcast: Broadcast;
  readonly #readers = new Set<Reader>();
  readonly #index = new ReaderIndex<InstrumentName>();
  readonly #changed = new Set<InstrumentName>();
  readonly #timer: Timer;
  #names: readonly InstrumentName[];

  constructor(parts: PriceBroadcastParts) {
    const { names, clock, limits } = parts;
    this.#parts = parts;
    this.#names = names();
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
    if (update.type === 'trade' && this.#index.of(update.instrument) !== undefined) {
      this.#changed.add(update.instrument);
    }
  }

  /** `select` is asked again whenever other instruments are followed. */
  subscribe(context: HandlerContext, select: Selection): BroadcastSubscription {
    // Nobody is told of a change that was before his time.
    this.#followNames();
    const selected = select();
    let reader: Reader | undefined;
    const subscription = this.#broadcast.subscribe(context, {
      onEnd: () => {
        reader?.remove();
        if (reader !== undefined) this.#readers.delete(reader);
      },
    });
    const remove = this.#index.add(selected, subscription);
    this.#readers.add((reader = { subscription, select, selected, remove }));
    return subscription;
  }

  #flush(): void {
    this.#followNames();
    for (const instrument of this.#changed) {
      const readers = this.#index.of(instrument);
      const frame = readers && this.#frameOf(instrument);
      if (readers === undefined || frame === undefined) continue;
      for (const reader of readers) reader.push(frame);
    }
    this.#changed.clear();
  }

  /** After a switch of the mode every reader’s wish means other instruments. */
  #followNames(): void {
    const names = this.#parts.names();
    if (names === this.#names) return;
    this.#names = names;
    for (const reader of this.#readers) this.#selectAnew(reader);
  }

  #selectAnew(reader: Reader): void {
    const { subscription, select, selected: before } = reader;
    const selected = select();
    const known = new Set(before);
    if (selected.length === known.size && selected.every((name) => known.has(name))) return;
    reader.remove();
    reader.selected = selected;
    reader.remove = this.#index.add(selected, subscription);
    const value = { instruments: selected.toSorted() };
    subscription.push(frameOf({ case: 'instrumentsChanged', value }, undefined));
    for (const instrument of selected) {
      const frame = known.has(instrument) ? undefined : this.#frameOf(instrument);
      if (frame !== undefined) subscription.push(frame);
    }
  }

  #frameOf(instrument: InstrumentName): SharedFrame | undefined {
    const trade = this.#parts.latestTrade(instrument);
    if (trade === undefined) return undefined;
    return frameOf({ case: 'latestPrice', value: latestPriceToMessage(trade) }, instrument);
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
