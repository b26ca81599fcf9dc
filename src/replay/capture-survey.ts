import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import { createBinanceDecoder } from '../exchange/binance.ts';
import type { SingleDecoder, TimeUnit } from '../exchange/exchange.ts';
import { eventTimeOf, eventTypeOf, splitCaptureLine } from './capture-line.ts';

/**
 * What is in a capture, found out before it is replayed: a first look at all lines, of which only
 * one of each symbol and kind is decoded, so that it costs little more than reading them.
 */
export class CaptureSurvey {
  /** The instruments that have single trades (`@trade`) in any file. */
  readonly singleTrades = new Set<InstrumentName>();
  /** The instruments of each file. */
  readonly instruments: Set<InstrumentName>[] = [];
  readonly #decoder: SingleDecoder;
  readonly #timeUnit: TimeUnit;
  #known = new Set<string>();

  constructor(exchange: ExchangeName, timeUnit: TimeUnit) {
    this.#decoder = createBinanceDecoder({ exchange, timeUnit });
    this.#timeUnit = timeUnit;
  }

  beginFile(): void {
    this.instruments.push(new Set());
    this.#known = new Set();
  }

  take(line: string): void {
    const { frame, receivedTime } = splitCaptureLine(line) ?? {};
    if (frame === undefined) return;
    const type = eventTypeOf(frame);
    // A book ticker does not say what it is.
    if (type !== undefined && type !== 'trade' && type !== 'aggTrade') return;
    const kind = `${type} ${/"s"\s*:\s*"([^"]*)"/u.exec(frame)?.[1]}`;
    if (this.#known.has(kind)) return;
    // A line without any time is only looked at: whatever it is, now is as good as another moment.
    const time = receivedTime ?? eventTimeOf(frame, this.#timeUnit) ?? 0;
    const event = this.#decoder.decode(frame, time);
    if (event?.type !== 'trade' && event?.type !== 'bookTicker') return;
    this.#known.add(kind);
    this.instruments.at(-1)?.add(event.instrument);
    if (type === 'trade') this.singleTrades.add(event.instrument);
  }
}
