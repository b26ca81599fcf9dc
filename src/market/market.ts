import type { Micros } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { Candle } from '../domain/candle.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type {
  ConnectionLost,
  ConnectionOpened,
  HistoryEvent,
  LastTrade,
  MarketEvent,
} from '../domain/market-event.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';
import { CandleLog, logKey } from './candle-log.ts';
import { CandleSeries } from './candle-series.ts';
import { ExchangeClock } from './exchange-clock.ts';
import { newConnection, newState, statusOf } from './instrument-state.ts';
import type { Connection, InstrumentState, InstrumentStatus } from './instrument-state.ts';
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
  readonly #clock: ExchangeClock;
  readonly #instruments = new Map<InstrumentName, InstrumentState>();
  readonly #connections = new Map<string, Connection>();

  constructor(options: MarketOptions) {
    this.#options = options;
    this.#limits = { ...marketLimits, ...options.limits };
    this.#clock = new ExchangeClock(this.#limits.clockToleranceMs);
    this.log = new CandleLog({
      run: options.run,
      secondsRetention: this.#limits.secondsRetentionMs * 1000,
      retention: this.#limits.retentionMs * 1000,
      maximumEntries: this.#limits.maximumRetained,
    });
  }

  /** Exchange time − our time, in µs. */
  get clockOffset(): Micros {
    return this.#clock.offset;
  }

  handle(event: MarketEvent): void {
    switch (event.type) {
      case 'trade':
        return this.#handleTrade(event);
      case 'bookTicker':
        return this.#handleBookTicker(event);
      case 'connectionOpened':
        return this.#handleOpened(event);
      case 'connectionLost':
        return this.#handleLost(event);
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
    for (const { series } of this.#instruments.values()) {
      series.announceGaps(Infinity);
      series.end(this.#clock.at(now));
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
    return state?.series.openCandle(timeframe, this.#clock.at(now));
  }

  /** The last published version of a closed candle, while it is held. */
  closedCandle(
    instrument: InstrumentName,
    timeframe: Timeframe,
    openTime: Micros,
  ): Candle | undefined {
    return this.#instruments.get(instrument)?.series.closedCandle(timeframe, openTime);
  }

  /** What the instrument's exchange's clock shows when ours is `time`. */
  exchangeTime(time: Micros): Micros {
    return this.#clock.at(time);
  }

  lastTrade(instrument: InstrumentName): Trade | undefined {
    return this.#instruments.get(instrument)?.lastTrade;
  }

  bookTicker(instrument: InstrumentName): BookTicker | undefined {
    return this.#instruments.get(instrument)?.bookTicker;
  }

  #handleTrade(trade: Trade): void {
    const state = this.#instruments.get(trade.instrument);
    if (state === undefined) {
      this.counters.unknownInstruments++;
      return;
    }
    if (this.#addTrade(state, trade)) this.#publish(trade);
    // A trade no older than the newest known shows all that may have been missed before it.
    if (state.lastTrade !== undefined && trade.id >= state.lastTrade.id) state.isContinuous = true;
    this.#hear(state, trade.receivedTime);
  }

  #addTrade(state: InstrumentState, trade: Trade): boolean {
    const { exchangeTime, eventTime, receivedTime } = trade;
    this.#clock.observe(eventTime ?? exchangeTime, receivedTime);
    if (!this.#clock.isPlausible(exchangeTime, receivedTime)) {
      this.counters.implausibleTrades++;
      state.implausible = { receivedTime, ahead: exchangeTime - this.#clock.at(receivedTime) };
      return false;
    }
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
    if (lastTrade === undefined || trade.id > lastTrade.id) state.lastTrade = trade;
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

  #handleOpened({ connection: name, instruments }: ConnectionOpened): void {
    const connection = newConnection(instruments);
    this.#connections.set(name, connection);
    for (const instrument of instruments) {
      const state = this.#stateOf(instrument);
      // While the connection before it still delivers, nothing is missed by going over to this one.
      if (state.connection?.isOpen !== true) {
        state.isContinuous = false;
        // The exchange may have begun its update ids anew.
        state.bookTicker = undefined;
      }
      state.connection = connection;
    }
  }

  #handleLost({ connection: name, reason }: ConnectionLost): void {
    const connection = this.#connections.get(name);
    if (connection === undefined) return;
    this.#connections.delete(name);
    connection.isOpen = false;
    connection.reason = reason;
    for (const state of this.#on(connection)) state.isContinuous = false;
  }

  #handleLastTrade({ trade, askedTime, receivedTime }: LastTrade): void {
    const state = this.#instruments.get(trade.instrument);
    if (state?.connection === undefined) return;
    if (!this.#clock.isPlausible(trade.exchangeTime, receivedTime)) {
      this.counters.implausibleTrades++;
      return;
    }
    const isFirst = state.lastTrade === undefined;
    if (state.series.begin(trade, this.#clock.at(askedTime), receivedTime)) {
      this.#count(state, trade);
      if (!isFirst) this.#publish(trade);
    }
    // It still shows what was missed until then; but more may be missed since.
    if (!state.connection.isOpen) return;
    state.isContinuous = true;
    state.lastProbeTime = receivedTime;
    state.series.announceGaps(receivedTime);
    state.series.closeThrough(this.#closableAt(askedTime));
  }

  /** It is no evidence: nothing closes by it. */
  #handleHistory(event: HistoryEvent): void {
    const state = this.#instruments.get(event.instrument);
    if (state === undefined) return;
    if (event.type === 'knownCandles' && event.isStored) {
      const key = logKey(event.instrument, event.timeframe);
      this.log.addStored(key, event.candles, event.isAll);
    }
    for (const trade of tellHistory(state.series, event)) {
      this.counters.recoveredTrades++;
      this.#count(state, trade);
      this.#publish(trade);
    }
  }

  /** A data frame came: what ended long enough before it can close. */
  #hear({ connection }: InstrumentState, receivedTime: Micros): void {
    if (connection === undefined) return;
    connection.lastDataTime = receivedTime;
    const closable = this.#closableAt(receivedTime);
    if (closable < connection.nextDue) return;
    connection.nextDue = (Math.floor(closable / 1_000_000) + 1) * 1_000_000;
    for (const { series, isContinuous } of this.#on(connection)) {
      series.announceGaps(receivedTime);
      if (isContinuous) series.closeThrough(closable);
    }
  }

  #closableAt(time: Micros): Micros {
    return this.#clock.at(time) - this.#limits.graceMs * 1000;
  }

  /** The instruments that a connection is in charge of. */
  #on(connection: Connection): InstrumentState[] {
    return connection.instruments
      .map((name) => this.#stateOf(name))
      .filter((state) => state.connection === connection);
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
    const state = newState(instrument, series);
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
