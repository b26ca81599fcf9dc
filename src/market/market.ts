import type { Micros } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { Candle } from '../domain/candle.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import type { HistoryEvent, LastTrade, MarketEvent } from '../domain/market-event.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';
import { CandleLog, logKey } from './candle-log.ts';
import { CandleSeries } from './candle-series.ts';
import { Connections } from './connections.ts';
import { ExchangeClocks } from './exchange-clocks.ts';
import { isAfter, newState, outageOf, statusOf } from './instrument-state.ts';
import type { InstrumentState, InstrumentStatus } from './instrument-state.ts';
import { countUpdate, zeroCounters } from './market-counters.ts';
import { marketLimits } from './market-limits.ts';
import type { MarketLimits } from './market-limits.ts';
import type { MarketUpdate, MarketUpdateHandler } from './market-update.ts';
import { tellHistory } from './tell-history.ts';

export type MarketOptions = {
  /** This life of the server: its start. */
  readonly run: Micros;
  /** Takes what follows from the events, synchronously. */
  readonly publish: MarketUpdateHandler;
  /** Is told after a connection was opened or lost. */
  readonly onConnections?: () => void;
  readonly limits?: Partial<MarketLimits>;
};

/**
 * The market: takes what the exchanges' adapters tell, one event after the other, and makes candles
 * of it. By the return of `handle` everything that follows from the event has been published.
 *
 * Candles close by the exchange's clock and by evidence: a data frame that came after the candle's
 * end and grace, on a connection that is known to have delivered everything; a silent connection
 * closes nothing.
 */
export class Market {
  readonly log: CandleLog;
  readonly counters = zeroCounters();
  readonly #options: MarketOptions;
  readonly #limits: MarketLimits;
  readonly #clocks: ExchangeClocks;
  readonly #instruments = new Map<InstrumentName, InstrumentState>();
  readonly #connections = new Connections(
    (instrument) => this.#stateOf(instrument),
    () => this.#options.onConnections?.(),
  );

  constructor(options: MarketOptions) {
    this.#options = options;
    this.#limits = { ...marketLimits, ...options.limits };
    this.#clocks = new ExchangeClocks(this.#limits.clockToleranceMs);
    this.log = new CandleLog({
      run: options.run,
      secondsRetention: this.#limits.secondsRetentionMs * 1000,
      retention: this.#limits.retentionMs * 1000,
      maximumEntries: this.#limits.maximumRetained,
    });
  }

  /** Exchange time − our time, in µs, of each exchange. */
  get clockOffsets(): ReadonlyMap<ExchangeName, Micros> {
    return this.#clocks.offsets();
  }

  handle(event: MarketEvent): void {
    switch (event.type) {
      case 'trade':
        return this.#handleTrade(event);
      case 'bookTicker':
        return this.#handleBookTicker(event);
      case 'connectionOpened':
        return this.#connections.opened(event);
      case 'connectionLost':
        return this.#connections.lost(event);
      case 'lastTrade':
        return this.#handleLastTrade(event);
      case 'recoveredTrades':
      case 'absentTrades':
      case 'knownCandles':
      case 'historyRead':
        return this.#handleHistory(event);
      default:
        event satisfies never;
    }
  }

  /** To be called about every 100 ms: publishes open candles that changed, and gaps. */
  tick(now: Micros): void {
    for (const { series } of this.#instruments.values()) {
      series.announceGaps(now);
      series.flush();
    }
  }

  /** Publishes the open candles a last time: nothing will be observed after `now`. */
  endObservation(now: Micros): void {
    for (const { series, clock } of this.#instruments.values()) {
      series.announceGaps(Infinity);
      series.end(clock.at(now));
    }
  }

  /** Every instrument that was announced, by name. */
  statuses(now: Micros): InstrumentStatus[] {
    return [...this.#instruments.values()]
      .map((state) => statusOf(state, now))
      .toSorted((a, b) => (a.instrument < b.instrument ? -1 : 1));
  }

  /** The open candle at `now`; undefined before the first known price. */
  openCandle(instrument: InstrumentName, timeframe: Timeframe, now: Micros): Candle | undefined {
    const state = this.#instruments.get(instrument);
    return state?.series.openCandle(timeframe, state.clock.at(now));
  }

  /** The last published version of a closed candle, while it is held. */
  closedCandle(
    instrument: InstrumentName,
    timeframe: Timeframe,
    openTime: Micros,
  ): Candle | undefined {
    return this.#instruments.get(instrument)?.series.closedCandle(timeframe, openTime);
  }

  /** What the exchange's clock shows when ours is `time`. */
  exchangeTime(exchange: ExchangeName, time: Micros): Micros {
    return this.#clocks.of(exchange).at(time);
  }

  /** What is held of an instrument, for those who read it; undefined where it was not announced. */
  stateOf(instrument: InstrumentName): InstrumentState | undefined {
    return this.#instruments.get(instrument);
  }

  lastTrade(instrument: InstrumentName): Trade | undefined {
    return this.#instruments.get(instrument)?.lastTrade;
  }

  bookTicker(instrument: InstrumentName): BookTicker | undefined {
    return this.#instruments.get(instrument)?.bookTicker;
  }

  /** Why nothing is delivered of an instrument, in words; undefined while its connection is open. */
  outageOf(instrument: InstrumentName): string | undefined {
    return outageOf(this.#instruments.get(instrument)?.connection);
  }

  #handleTrade(trade: Trade): void {
    const state = this.#instruments.get(trade.instrument);
    if (state === undefined) {
      this.counters.unknownInstruments++;
      return;
    }
    if (this.#addTrade(state, trade)) this.#publish(trade);
    // A trade no older than the newest known shows all that may have been missed before it.
    if (trade.id >= (state.series.ids.highestId ?? Infinity)) state.isContinuous = true;
    this.#hear(state, trade.receivedTime);
  }

  #addTrade(state: InstrumentState, trade: Trade): boolean {
    const { exchangeTime, eventTime, receivedTime } = trade;
    const { clock } = state;
    clock.observe(eventTime ?? exchangeTime, receivedTime);
    if (!clock.isPlausible(exchangeTime, receivedTime)) {
      this.counters.implausibleTrades++;
      state.implausible = { receivedTime, ahead: exchangeTime - clock.at(receivedTime) };
      return false;
    }
    expectHoles(state, state.isContinuous);
    if (!state.series.add(trade, receivedTime)) {
      this.counters.duplicateTrades++;
      return false;
    }
    this.#count(state, trade);
    return true;
  }

  #count(state: InstrumentState, trade: Trade): void {
    this.counters.trades++;
    state.tradesReceived++;
    const { lastTrade } = state;
    if (lastTrade === undefined || isAfter(trade, lastTrade)) state.lastTrade = trade;
  }

  #handleBookTicker(ticker: BookTicker): void {
    const state = this.#instruments.get(ticker.instrument);
    if (state === undefined) {
      this.counters.unknownInstruments++;
      return;
    }
    if (state.bookTicker !== undefined && ticker.updateId <= state.bookTicker.updateId) {
      this.counters.staleBookTickers++;
    } else {
      this.counters.bookTickers++;
      state.bookTicker = ticker;
      this.#publish(ticker);
    }
    this.#hear(state, ticker.receivedTime);
  }

  #handleLastTrade({ trade, askedTime, receivedTime }: LastTrade): void {
    const state = this.#instruments.get(trade.instrument);
    if (state?.connection === undefined) return;
    if (!state.clock.isPlausible(trade.exchangeTime, receivedTime)) {
      this.counters.implausibleTrades++;
      return;
    }
    const isFirst = state.lastTrade === undefined;
    expectHoles(state, state.isContinuous);
    if (state.series.begin(trade, state.clock.at(askedTime), receivedTime)) {
      this.#count(state, trade);
      if (!isFirst) this.#publish(trade);
    }
    // It still shows what was missed until then; but more may be missed since.
    if (!state.connection.isOpen) return;
    state.isContinuous = true;
    state.lastProbeTime = receivedTime;
    state.series.announceGaps(receivedTime);
    state.series.closeThrough(this.#closableAt(state, askedTime));
  }

  /** It is no evidence: nothing closes by it. */
  #handleHistory(event: HistoryEvent): void {
    const state = this.#instruments.get(event.instrument);
    if (state === undefined) return;
    if (event.type === 'knownCandles' && event.isStored) {
      const key = logKey(event.instrument, event.timeframe);
      this.log.addStored(key, event.candles, event.isAll);
    }
    // It tells all trades that there are.
    expectHoles(state, true);
    for (const trade of tellHistory(state.series, event)) {
      this.counters.recoveredTrades++;
      this.#count(state, trade);
      this.#publish(trade);
    }
  }

  /** A data frame came: what ended long enough before it can close. */
  #hear(state: InstrumentState, receivedTime: Micros): void {
    const { connection } = state;
    if (connection === undefined) return;
    connection.lastDataTime = receivedTime;
    const closable = this.#closableAt(state, receivedTime);
    if (closable < connection.nextDue) return;
    connection.nextDue = (Math.floor(closable / 1_000_000) + 1) * 1_000_000;
    for (const { series, isContinuous } of this.#connections.on(connection)) {
      series.announceGaps(receivedTime);
      if (isContinuous) series.closeThrough(closable);
    }
  }

  #closableAt({ clock }: InstrumentState, time: Micros): Micros {
    return clock.at(time) - this.#limits.graceMs * 1000;
  }

  #stateOf(instrument: InstrumentName): InstrumentState {
    const existing = this.#instruments.get(instrument);
    if (existing !== undefined) return existing;
    const { secondsRetentionMs, retentionMs, gapMaturityMs } = this.#limits;
    const series = new CandleSeries({
      instrument,
      run: this.#options.run,
      secondsRetention: secondsRetentionMs * 1000,
      retention: retentionMs * 1000,
      gapMaturityMs,
      publish: (update) => this.#publish(update),
    });
    const { exchange = '' } = splitInstrumentName(instrument);
    const state = newState(instrument, series, this.#clocks.of(exchange));
    this.#instruments.set(instrument, state);
    return state;
  }

  #publish(update: MarketUpdate): void {
    if (update.type === 'candle' && update.candle.isClosed) {
      this.log.appendCandle(update.candle);
    } else if (update.type === 'gap') {
      this.log.appendGap(update);
    }
    countUpdate(this.counters, update);
    this.#options.publish(update);
  }
}

/**
 * Where ids leave some out, a hole shows a loss only after a break in what was observed; where they
 * do not, always.
 */
function expectHoles({ series, idOrder }: InstrumentState, isUnbroken: boolean): void {
  series.ids.areHolesUsual = isUnbroken && idOrder !== 'contiguous';
}
