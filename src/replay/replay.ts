import type { Micros } from '../base/clock.ts';
import type { Candle } from '../domain/candle.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import type { MarketEvent } from '../domain/market-event.ts';
import { createBinanceDecoder } from '../exchange/binance.ts';
import type { SingleDecoder, TimeUnit } from '../exchange/exchange.ts';
import { Market } from '../market/market.ts';
import { eventTimeOf, eventTypeOf, splitCaptureLine } from './capture-line.ts';
import type { OrderReplay } from './order-replay.ts';
import { ReplaySummary } from './replay-summary.ts';

/** How often the market is told the time, in time of the capture: as often as a server does. */
const tickPeriod: Micros = 100_000;

export type ReplayOptions = {
  readonly exchange: ExchangeName;
  readonly timeUnit: TimeUnit;
  /** Instruments whose single trades are in the capture: their aggregated ones are left out. */
  readonly singleTrades: ReadonlySet<InstrumentName>;
  readonly onCandle: (candle: Candle) => void;
  /** Orders that are fulfilled meanwhile. */
  readonly orders?: OrderReplay | undefined;
};

/**
 * Runs the lines of a capture through the server's own decoder and market. Time is the capture's:
 * the latest receive time, or event time where lines have none, so that the same lines always make
 * the same candles, whenever and however fast they are replayed.
 */
export class Replay {
  readonly summary = new ReplaySummary();
  readonly #options: ReplayOptions;
  readonly #decoder: SingleDecoder;
  readonly #market: Market;
  /** When something of an instrument's file was last received. */
  readonly #heardUntil = new Map<InstrumentName, Micros>();
  #instruments: ReadonlySet<InstrumentName> = new Set();
  #files = 0;
  #now: Micros | undefined;
  #tickedAt: Micros = 0;
  #isBad = false;
  #isOver = false;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#decoder = createBinanceDecoder({
      exchange: options.exchange,
      timeUnit: options.timeUnit,
      onBadFrame: () => {
        this.#isBad = true;
      },
    });
    this.#market = new Market({
      // A constant, not a start time: it would make two replays differ.
      run: 1,
      publish: (update) => {
        if (update.type === 'candle') this.#publish(update.candle);
        else if (update.type === 'bookTicker') options.orders?.handleTicker(update);
      },
      // Nobody resumes a stream here.
      limits: { maximumRetained: 1 },
    });
  }

  /**
   * A file is a connection of its own, with a clock of its own: files that follow on each other
   * join, and one that covers the time of another's once more does not disturb it.
   */
  beginFile(instruments: ReadonlySet<InstrumentName>): void {
    this.#endFile();
    this.#instruments = instruments;
    this.#files++;
    this.#now = undefined;
    this.#tickedAt = 0;
  }

  /** Takes the next line. Whatever is in it is used or counted; nothing in it is fatal. */
  take(line: string): void {
    this.summary.lines++;
    const parts = splitCaptureLine(line);
    if (parts === undefined) return this.summary.countUnused('broken');
    const { frame } = parts;
    const receivedTime =
      parts.receivedTime ?? this.#latest(eventTimeOf(frame, this.#options.timeUnit));
    if (receivedTime === undefined) return this.summary.countUnused('before the first time');

    this.#isBad = false;
    const event = this.#decoder.decode(frame, receivedTime);
    if (this.#isBad) return this.summary.countUnused('broken');
    this.#open(receivedTime);
    this.#options.orders?.advance(this.#instruments, receivedTime);
    if (event === undefined) this.summary.countUnused(eventTypeOf(frame) ?? 'of no known kind');
    else this.#handle(event, frame);
    this.#moveTo(receivedTime);
  }

  /** The capture is over: publishes the candles that were still open. */
  end(): void {
    this.#endFile();
    this.#isOver = true;
    const last = Math.max(0, ...this.#heardUntil.values());
    this.#market.tick(last);
    this.#market.endObservation(last);
  }

  #handle(event: MarketEvent, frame: string): void {
    if (event.type === 'trade') {
      if (this.#options.singleTrades.has(event.instrument) && eventTypeOf(frame) === 'aggTrade') {
        return this.summary.countUnused('aggTrade beside single trades');
      }
      this.summary.trades++;
    } else if (event.type === 'bookTicker') this.summary.bookTickers++;
    this.#market.handle(event);
  }

  /** Tells the market of the file's instruments, as soon as the file's time is known. */
  #open(receivedTime: Micros): void {
    if (this.#now !== undefined) return;
    this.#market.handle({
      type: 'connectionOpened',
      connection: `capture ${this.#files}`,
      instruments: [...this.#instruments],
      receivedTime,
    });
  }

  #latest(time: Micros | undefined): Micros | undefined {
    if (time === undefined || this.#now === undefined) return time ?? this.#now;
    return Math.max(time, this.#now);
  }

  /** Within a file time never goes back, not even where the receiver's clock was set back. */
  #moveTo(time: Micros): void {
    this.#now = Math.max(time, this.#now ?? time);
    if (this.#now - this.#tickedAt < tickPeriod) return;
    this.#tickedAt = this.#now;
    this.#market.tick(this.#now);
  }

  #endFile(): void {
    if (this.#now === undefined) return;
    for (const instrument of this.#instruments) this.#heardUntil.set(instrument, this.#now);
  }

  #publish(candle: Candle): void {
    // The market ends everything at once, but an instrument was followed only to its file's end.
    const heardUntil = this.#heardUntil.get(candle.instrument) ?? Infinity;
    const endTime = this.#market.exchangeTime(this.#options.exchange, heardUntil);
    const isCutOff = this.#isOver && candle.closeTime > endTime;
    this.#options.onCandle(isCutOff && !candle.isClosed ? { ...candle, isPartial: true } : candle);
  }
}
