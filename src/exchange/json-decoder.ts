import type { Micros } from '../base/clock.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import { instrumentName } from '../domain/instrument.ts';
import type { InstrumentName } from '../domain/instrument.ts';
import type { Trade } from '../domain/trade.ts';
import { sampleOf } from './bad-frame.ts';
import type {
  ControlMessage,
  Decoded,
  Decoder,
  DecoderCounters,
  DecoderOptions,
} from './exchange.ts';
import { isFields, parseFields, readSymbol, timeRule, WireError } from './fields.ts';
import type { Fields, ReadContext, TimeRule } from './fields.ts';

/** What an exchange's own part of a decoder says of its frames. */
export type FrameFormat = {
  /** Of a frame's text, where JSON.parse will not do. */
  readonly parse?: (text: string) => unknown;
  /** The symbol as instruments have it, of the exchange's own. */
  readonly symbolOf: (own: string) => string;
  /**
   * The events in a frame, or what it says of the connection.
   * @throws WireError
   */
  readonly read: (message: Fields, frame: Frame) => Decoded;
};

/** What a format can do with the frame that it reads. */
export interface Frame {
  /** Hands on what it says of the connection. */
  tell(message: ControlMessage): undefined;
  /** Counts it as none of ours. */
  ignore(): undefined;
  /**
   * Reads an event of the instrument that `symbolKey` names; nothing where it is not ours.
   * @throws WireError
   */
  event<T extends Trade | BookTicker>(
    fields: Fields,
    symbolKey: string,
    read: (fields: Fields, context: ReadContext) => T,
  ): T | undefined;
  /** The same for each item of a list: a bad one is refused, and costs only itself. */
  events<T extends Trade | BookTicker>(
    items: unknown,
    symbolKey: string,
    read: (fields: Fields, context: ReadContext) => T,
  ): readonly T[] | undefined;
}

/** Ten minutes: more than a badly kept clock is off by, less than would reach far into the future. */
const defaultMaximumAheadMs = 600_000;
/** Exchanges have some thousand symbols. Those beyond are read anew each time. */
const rememberedLimit = 10_000;

/** Decodes frames that are JSON objects, for exchanges that need not be read faster than that. */
export class JsonDecoder implements Decoder, Frame {
  readonly counters: DecoderCounters = { frames: 0, ignored: 0, bad: 0 };
  readonly #options: DecoderOptions;
  readonly #format: FrameFormat;
  readonly #rule: TimeRule;
  readonly #instruments = new Map<string, InstrumentName>();
  // Of the frame that is being read.
  #text = '';
  #receivedTime: Micros = 0;

  constructor(options: DecoderOptions, format: FrameFormat) {
    this.#options = options;
    this.#format = format;
    this.#rule = timeRule(
      options.timeUnit ?? 'millisecond',
      options.maximumAheadMs ?? defaultMaximumAheadMs,
    );
  }

  decode(frame: string, receivedTime: Micros): Decoded {
    this.counters.frames++;
    this.#text = frame;
    this.#receivedTime = receivedTime;
    const { parse, read } = this.#format;
    return this.#carefully(() => read(parseFields(frame, parse), this));
  }

  tell(message: ControlMessage): undefined {
    this.#options.onControl?.(message);
  }

  ignore(): undefined {
    this.counters.ignored++;
  }

  event<T extends Trade | BookTicker>(
    fields: Fields,
    symbolKey: string,
    read: (fields: Fields, context: ReadContext) => T,
  ): T | undefined {
    const instrument = this.#instrumentOf(fields, symbolKey);
    if (instrument === undefined) return this.ignore();
    return read(fields, { instrument, receivedTime: this.#receivedTime, rule: this.#rule });
  }

  events<T extends Trade | BookTicker>(
    items: unknown,
    symbolKey: string,
    read: (fields: Fields, context: ReadContext) => T,
  ): readonly T[] | undefined {
    if (!Array.isArray(items)) throw new WireError('field', 'data: expected a list');
    const events: T[] = [];
    for (const item of items as unknown[]) {
      const event = this.#carefully(() => {
        if (!isFields(item)) throw new WireError('field', 'data: expected objects in the list');
        return this.event(item, symbolKey, read);
      });
      if (event !== undefined) events.push(event);
    }
    return events.length === 0 ? undefined : events;
  }

  /** undefined: a symbol that is not ours. */
  #instrumentOf(fields: Fields, key: string): InstrumentName | undefined {
    const own = readSymbol(fields, key);
    const known = this.#instruments.get(own);
    if (known !== undefined) return known;
    const symbol = this.#format.symbolOf(own);
    if (this.#options.symbols?.has(symbol) === false) return undefined;
    const instrument = instrumentName(this.#options.exchange, symbol);
    if (this.#instruments.size < rememberedLimit) this.#instruments.set(own, instrument);
    return instrument;
  }

  #carefully<T>(read: () => T): T | undefined {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const { badFrameCause: cause, message: problem } = error;
      this.counters.bad++;
      this.#options.onBadFrame?.({ cause, problem, sample: sampleOf(this.#text) });
      return undefined;
    }
  }
}
