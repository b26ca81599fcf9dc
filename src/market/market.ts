import type { Micros } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import type { Candle } from '../domain/candle.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type {
  ConnectionOpened,
  LastTrade,
  MarketEvent,
  RecoveredTrades,
} from '../domain/market-event.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { Trade } from '../domain/trade.ts';
import { CandleLog } from './candle-log.ts';
import { CandleSeries } from './candle-series.ts';
import { ExchangeClock } from './exchange-clock.ts';
import { statusOf } from './instrument-state.ts';
import type { Connection, InstrumentState, InstrumentStatus } from './instrument-state.ts';
import type { MarketUpdate, MarketUpdateHandler } from './market-update.ts';

export type MarketOptions = {
  /** This life of the server: its start. */
  readonly run: Micros;
  /** Takes what follows from the events, synchronously. */
  readonly publish: MarketUpdateHandler;
  readonly limits?: Partial<MarketLimits>;
};

export type MarketLimits = {
  /** A candle closes this long after its end, so that trades on the way still get into it. */
  readonly graceMs: number;
  /** A missing trade id that has not come after this is a gap. */
  readonly gapMaturityMs: number;
  /** Exchange times further ahead of the exchange's clock than this are not believed. */
  readonly clockToleranceMs: number;
  /** How long closed 1s candles are retained and can be revised. */
  readonly secondsRetentionMs: number;
  /** How long all other closed candles are. */
  readonly retentionMs: number;
  /** How many closed candles and gaps are retained in all; at about 1 KiB each. */
  readonly maximumRetained: number;
};

export const marketLimits: MarketLimits = {
  graceMs: 500,
  gapMaturityMs: 250,
  clockToleranceMs: 60_000,
  // An hour, and ten minutes more: a reader that comes from another server is given the last hour
  // again, and may have been away for a while.
  secondsRetentionMs: 70 * 60_000,
  retentionMs: 7 * 86_400_000,
  maximumRetained: 1_000_000,
};

/** What the market counted since it began. */
export type MarketCounters = {
  trades: number;
  duplicateTrades: number;
  /** Trades that came because they were asked for, as they were missing. */
  recoveredTrades: number;
  /** Trades with a time that cannot be. */
  implausibleTrades: number;
  bookTickers: number;
  /** Book tickers that were not newer than the last one. */
  staleBookTickers: number;
  /** Events of instruments that no connection announced. */
  unknownInstruments: number;
  candlesClosed: number;
  candlesRevised: number;
  gapsFound: number;
  gapsFilled: number;
  gapsAbsent: number;
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
  readonly counters: MarketCounters = {
    trades: 0,
    duplicateTrades: 0,
    recoveredTrades: 0,
    implausibleTrades: 0,
    bookTickers: 0,
    staleBookTickers: 0,
    unknownInstruments: 0,
    candlesClosed: 0,
    candlesRevised: 0,
    gapsFound: 0,
    gapsFilled: 0,
    gapsAbsent: 0,
  };
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
      case 'connectionLost': {
        const connection = this.#connections.get(event.connection);
        if (connection === undefined) return;
        connection.isOpen = false;
        connection.reason = event.reason;
        this.#connections.delete(event.connection);
        for (const state of this.#on(connection)) state.isContinuous = false;
        return;
      }
      case 'lastTrade':
        return this.#handleLastTrade(event);
      case 'recoveredTrades':
        return this.#handleRecovered(event);
      case 'absentTrades':
        return this.#seriesOf(event)?.giveUp(event.firstId, event.lastId, 'absent');
      case 'knownCandles':
        return this.#seriesOf(event)?.settle(event.timeframe, event.candles, event.isStored);
      case 'historyRead': {
        const { settledBelowId } = event;
        const series = this.#seriesOf(event);
        if (settledBelowId !== undefined) series?.giveUp(0, settledBelowId - 1, 'settled');
        return series?.rebuild(event.from);
      }
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
    const connection: Connection = {
      instruments,
      isOpen: true,
      reason: '',
      lastDataTime: undefined,
      nextDue: 0,
    };
    this.#connections.set(name, connection);
    for (const instrument of instruments) {
      const state = this.#stateOf(instrument);
      // While the connection before it still delivers, nothing is missed by going over to this one.
      if (state.connection?.isOpen !== true) state.isContinuous = false;
      state.connection = connection;
      // The exchange may have begun its update ids anew.
      state.bookTicker = undefined;
    }
  }

  #handleLastTrade({ trade, askedTime, receivedTime }: LastTrade): void {
    const state = this.#instruments.get(trade.instrument);
    if (state === undefined || state.connection?.isOpen !== true) return;
    if (!this.#clock.isPlausible(trade.exchangeTime, receivedTime)) {
      this.counters.implausibleTrades++;
      return;
    }
    const isFirst = state.lastTrade === undefined;
    if (state.series.begin(trade, this.#clock.at(askedTime), receivedTime)) {
      this.#count(state, trade);
      if (!isFirst) this.#publish(trade);
    }
    state.isContinuous = true;
    state.lastProbeTime = receivedTime;
    state.series.announceGaps(receivedTime);
    state.series.closeThrough(this.#closableAt(askedTime));
  }

  #handleRecovered({ instrument, trades, wholeFrom, receivedTime }: RecoveredTrades): void {
    const state = this.#instruments.get(instrument);
    if (state === undefined) return;
    const plausible = trades.filter((trade) =>
      this.#clock.isPlausible(trade.exchangeTime, receivedTime),
    );
    this.counters.implausibleTrades += trades.length - plausible.length;
    for (const trade of state.series.recover(plausible, wholeFrom, receivedTime)) {
      this.counters.recoveredTrades++;
      this.#count(state, trade);
      this.#publish(trade);
    }
  }

  #seriesOf({ instrument }: { readonly instrument: InstrumentName }): CandleSeries | undefined {
    return this.#instruments.get(instrument)?.series;
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
    const state: InstrumentState = {
      name: instrument,
      series: new CandleSeries({
        instrument,
        run: this.#options.run,
        secondsRetention: this.#limits.secondsRetentionMs * 1000,
        retention: this.#limits.retentionMs * 1000,
        gapMaturityMs: this.#limits.gapMaturityMs,
        publish: (update) => this.#publish(update),
      }),
      connection: undefined,
      isContinuous: false,
      lastProbeTime: undefined,
      lastTrade: undefined,
      bookTicker: undefined,
      tradesReceived: 0,
    };
    this.#instruments.set(instrument, state);
    return state;
  }

  #publish(update: MarketUpdate): void {
    if (update.type === 'candle' && update.candle.isClosed) {
      this.log.appendCandle(update.candle);
      this.counters.candlesClosed++;
      if (update.candle.revision > 1) this.counters.candlesRevised++;
    } else if (update.type === 'gap') {
      this.log.appendGap(update);
      if (update.state === 'open') this.counters.gapsFound++;
      if (update.state === 'filled') this.counters.gapsFilled++;
      if (update.state === 'absent') this.counters.gapsAbsent++;
    }
    this.#options.publish(update);
  }
}
