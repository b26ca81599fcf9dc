import type { BookTicker } from '../domain/book-ticker.ts';
import type { Trade } from '../domain/trade.ts';

export type SilenceSettings = {
  /** How long a symbol is taken to be silent between trades before it has shown it. */
  readonly expectedSilenceMs: number;
  /** A silence of so many times the expected one is doubted, within these bounds. */
  readonly silenceFactor: number;
  readonly silenceMinimumMs: number;
  readonly silenceMaximumMs: number;
  /** How far a stream may be behind REST. */
  readonly streamLagMs: number;
  /** So many trades over so long a time without a change of the book cannot be. */
  readonly tickerlessTrades: number;
  readonly tickerlessMs: number;
};

/** Longer silences are believed at once, shorter ones slowly: trades come in bursts. */
const rise = 1 / 2;
const fall = 1 / 32;

/**
 * What one symbol's streams have shown of themselves on one connection, and whether they are dead.
 * Silence alone proves nothing: after one that is long for this symbol it is doubtful, and REST is
 * asked for the last trade; one that the stream then still owes is the proof.
 */
export class StreamWatch {
  readonly symbol: string;
  /** How long there has been neither a trade nor a book ticker. */
  dataSilentMs = 0;
  /** Why it must be dead; undefined while nothing shows it. */
  fault: string | undefined;
  /** Of those that were seen the one with the highest id. */
  lastTrade: Trade | undefined;
  readonly #settings: SilenceSettings;
  // Counted for each frame, looked at in each tick: see Liveness.
  #trades = 0;
  #tickers = 0;
  #highestId = -1;
  #seenTrades = 0;
  #seenTickers = 0;
  #hasBaseline = false;
  #tradeSilentMs = 0;
  #expectedMs: number;
  /** The silence that is doubted next, and how much longer the one after it. */
  #doubtedMs: number;
  #patienceMs: number;
  #owed: { readonly id: number; waitedMs: number } | undefined;
  #tradesAtTicker = 0;
  #tickerSilentMs = 0;

  constructor(symbol: string, settings: SilenceSettings) {
    this.symbol = symbol;
    this.#settings = settings;
    this.#expectedMs = settings.expectedSilenceMs;
    this.#patienceMs = this.#doubtfulSilenceMs();
    this.#doubtedMs = this.#patienceMs;
  }

  get trades(): number {
    return this.#trades;
  }

  /** Whether the exchange should be asked for the last trade. */
  get isDoubtful(): boolean {
    return this.#owed === undefined && this.#tradeSilentMs >= this.#doubtedMs;
  }

  see(event: Trade | BookTicker): void {
    if (event.type === 'trade') {
      this.#trades++;
      if (event.id > this.#highestId) {
        this.#highestId = event.id;
        this.lastTrade = event;
      }
    } else this.#tickers++;
  }

  /** REST's last trade; undefined when there is none. What came before the first one is not owed. */
  learn(lastId: number | undefined): void {
    if (!this.#hasBaseline) {
      this.#hasBaseline = true;
      this.#highestId = Math.max(this.#highestId, lastId ?? -1);
    } else if (lastId !== undefined && lastId > this.#highestId) {
      this.#owed ??= { id: lastId, waitedMs: 0 };
      return;
    }
    // Quiet, not dead: it is doubted again after twice as long.
    this.#patienceMs = Math.min(this.#patienceMs * 2, this.#settings.silenceMaximumMs);
    this.#doubtedMs = this.#tradeSilentMs + this.#patienceMs;
  }

  /** Its subscription was made anew: what was missed meanwhile is not owed. */
  restart(): void {
    this.fault = undefined;
    this.#owed = undefined;
    this.#hasBaseline = false;
    this.#tradeSilentMs = 0;
    this.#tickerSilentMs = 0;
    this.#tradesAtTicker = this.#trades;
    this.#patienceMs = this.#doubtfulSilenceMs();
    this.#doubtedMs = this.#patienceMs;
  }

  /** To be called every `tickMs`. */
  tick(tickMs: number): void {
    const hasTraded = this.#trades !== this.#seenTrades;
    const hasTicked = this.#tickers !== this.#seenTickers;
    this.#seenTrades = this.#trades;
    this.#seenTickers = this.#tickers;
    this.dataSilentMs = hasTraded || hasTicked ? 0 : this.dataSilentMs + tickMs;
    this.#tradeSilentMs += tickMs;
    if (hasTraded) this.#endSilence();
    this.#judgeTrades(hasTraded, tickMs);
    this.#judgeTickers(hasTicked, tickMs);
  }

  #endSilence(): void {
    const difference = this.#tradeSilentMs - this.#expectedMs;
    this.#expectedMs += difference * (difference > 0 ? rise : fall);
    this.#tradeSilentMs = 0;
    this.#patienceMs = this.#doubtfulSilenceMs();
    this.#doubtedMs = this.#patienceMs;
  }

  #judgeTrades(hasTraded: boolean, tickMs: number): void {
    if (this.#owed === undefined) return;
    if (this.#highestId >= this.#owed.id) this.#owed = undefined;
    // One that moves is behind, not dead.
    else if (hasTraded) this.#owed.waitedMs = 0;
    else {
      this.#owed.waitedMs += tickMs;
      if (this.#owed.waitedMs < this.#settings.streamLagMs) return;
      this.fault ??= `The exchange has had trade ${this.#owed.id}, the stream came to ${this.#highestId}`;
    }
  }

  /** A trade takes from the best bid or ask, so that their stream has something to tell. */
  #judgeTickers(hasTicked: boolean, tickMs: number): void {
    if (hasTicked) {
      this.#tickerSilentMs = 0;
      this.#tradesAtTicker = this.#trades;
      return;
    }
    this.#tickerSilentMs += tickMs;
    const { tickerlessTrades, tickerlessMs } = this.#settings;
    const trades = this.#trades - this.#tradesAtTicker;
    if (this.#tickers === 0 || this.#tickerSilentMs < tickerlessMs || trades < tickerlessTrades) {
      return;
    }
    this.fault ??= `There were ${trades} trades and no change of the best bid and ask`;
  }

  #doubtfulSilenceMs(): number {
    const { silenceFactor, silenceMinimumMs, silenceMaximumMs } = this.#settings;
    const silenceMs = this.#expectedMs * silenceFactor;
    return Math.min(Math.max(silenceMs, silenceMinimumMs), silenceMaximumMs);
  }
}
