import type { BookTicker } from '../../domain/book-ticker.ts';
import type { Trade } from '../../domain/trade.ts';
import type { Micros } from '../../base/clock.ts';
import { instrumentName } from '../../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../../domain/instrument.ts';
import { sampleOf } from '../bad-frame.ts';
import type { BadFrameCause } from '../bad-frame.ts';
import type { DecoderCounters, DecoderOptions, SingleDecoder } from '../exchange.ts';
import { isFields, parseFields, readSymbol, readTime, timeRule, WireError } from '../fields.ts';
import type { Fields, ReadContext, TimeRule } from '../fields.ts';
import { FrameScanner, KnownStream } from './frame-scanner.ts';
import { readAggTrade, readBookTicker, readSingleTrade } from './payloads.ts';

/** Ten minutes: more than a badly kept clock is off by, less than would reach far into the future. */
const defaultMaximumAheadMs = 600_000;

/** Streams and symbols that are remembered; Binance has about 3,000 symbols. Others are read anew. */
const rememberedLimit = 10_000;

/**
 * Reads Binance's frames: combined ones (`{"stream":"btcusdt@trade","data":{…}}`) and bare payloads,
 * with `@aggTrade`, `@trade` and `@bookTicker` in them. Everything else is counted and left.
 */
export function createBinanceDecoder(options: DecoderOptions): SingleDecoder {
  return new BinanceDecoder(options);
}

class BinanceDecoder implements SingleDecoder {
  readonly counters: DecoderCounters = { frames: 0, ignored: 0, bad: 0 };
  readonly #exchange: ExchangeName;
  readonly #options: DecoderOptions;
  readonly #rule: TimeRule;
  readonly #scanner: FrameScanner;
  readonly #instruments = new Map<string, InstrumentName>();
  readonly #streams = new Map<string, KnownStream>();

  constructor(options: DecoderOptions) {
    this.#exchange = options.exchange;
    this.#options = options;
    this.#rule = timeRule(
      options.timeUnit ?? 'millisecond',
      options.maximumAheadMs ?? defaultMaximumAheadMs,
    );
    this.#scanner = new FrameScanner(this.#rule);
  }

  decode(frame: string, receivedTime: Micros): Trade | BookTicker | undefined {
    this.counters.frames++;
    // {"stream":"btcusdt@aggTrade", …: the name of the stream begins at 11.
    const stream = this.#streams.get(frame.slice(11, frame.indexOf('"', 11)));
    if (stream !== undefined) {
      const event = this.#scanner.scan(frame, stream, receivedTime);
      if (event !== undefined) return event;
    }
    return this.#decodeCarefully(frame, receivedTime);
  }

  #decodeCarefully(frame: string, receivedTime: Micros): Trade | BookTicker | undefined {
    try {
      const message = parseFields(frame);
      const { stream, data } = message;
      if (stream === undefined) return this.#readPayload(message, undefined, receivedTime);
      if (typeof stream === 'string' && isFields(data)) {
        return this.#readPayload(data, stream, receivedTime);
      }
      // Streams of arrays, like !miniTicker@arr, are none of ours.
      if (Array.isArray(data)) return this.#ignore();
      throw new WireError('field', 'data: expected an object');
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return this.#refuse(error.badFrameCause, error.message, frame);
    }
  }

  #readPayload(
    payload: Fields,
    stream: string | undefined,
    receivedTime: Micros,
  ): Trade | BookTicker | undefined {
    const kind = kindOf(payload, stream);
    switch (kind) {
      case 'aggTrade':
      case 'trade':
      case 'bookTicker': {
        const instrument = this.#instrumentOf(payload);
        if (instrument === undefined) return this.#ignore();
        const event = this.#readEvent(kind, payload, {
          instrument,
          receivedTime,
          rule: this.#rule,
        });
        if (kind !== 'trade' && isWrittenAsIs(stream)) {
          remember(this.#streams, stream, () => {
            const symbol = readSymbol(payload, 's');
            return new KnownStream(kind, stream, { instrument, symbol });
          });
        }
        return event;
      }
      case 'shutdown':
        this.#options.onControl?.({ type: 'shutdown' });
        return undefined;
      case 'response':
        this.#options.onControl?.(readResponse(payload));
        return undefined;
      case undefined:
        return this.#ignore();
      default:
        return kind satisfies never;
    }
  }

  #readEvent(kind: 'aggTrade' | 'trade' | 'bookTicker', payload: Fields, context: ReadContext) {
    if (kind === 'bookTicker') return readBookTicker(payload, context);
    const eventTime = readTime(payload, 'E', context);
    const read = kind === 'trade' ? readSingleTrade : readAggTrade;
    return read(payload, context, eventTime);
  }

  /** undefined: a symbol that is not ours. */
  #instrumentOf(payload: Fields): InstrumentName | undefined {
    const known = typeof payload.s === 'string' ? this.#instruments.get(payload.s) : undefined;
    if (known !== undefined) return known;
    const symbol = readSymbol(payload, 's');
    if (this.#options.symbols?.has(symbol) === false) return undefined;
    const instrument = instrumentName(this.#exchange, symbol);
    remember(this.#instruments, symbol, () => instrument);
    return instrument;
  }

  #ignore(): undefined {
    this.counters.ignored++;
  }

  #refuse(cause: BadFrameCause, problem: string, frame: string): undefined {
    this.counters.bad++;
    this.#options.onBadFrame?.({ cause, problem, sample: sampleOf(frame) });
  }
}

type Kind = 'aggTrade' | 'trade' | 'bookTicker' | 'shutdown' | 'response' | undefined;

/**
 * What a payload is. The stream's name tells it even where the payload fails to, so that a trade
 * without its `e` is a bad frame, not an unknown one.
 */
function kindOf(payload: Fields, stream: string | undefined): Kind {
  const { e } = payload;
  if (e === 'aggTrade' || e === 'trade') return e;
  if (e === 'serverShutdown') return 'shutdown';
  if (e !== undefined && typeof e !== 'string') {
    throw new WireError('field', 'e: expected the name of an event');
  }
  const kind = stream?.slice(stream.lastIndexOf('@') + 1);
  if (kind === 'bookTicker') return 'bookTicker';
  if (e !== undefined) return undefined;
  if (kind === 'aggTrade' || kind === 'trade') {
    throw new WireError('field', 'e: expected the name of an event, got nothing');
  }
  if ('u' in payload && 's' in payload && 'b' in payload && 'a' in payload) return 'bookTicker';
  // {"result":null,"id":1} · {"result":["btcusdt@aggTrade"],"id":2} · {"code":2,"msg":"Invalid request: …"} · {"error":{"code":2,"msg":"…"},"id":1}
  if ('result' in payload || 'error' in payload || 'code' in payload) return 'response';
  return undefined;
}

function readResponse(payload: Fields) {
  const { id, result } = payload;
  const failure = isFields(payload.error) ? payload.error : payload;
  return {
    type: 'response',
    id: typeof id === 'string' || typeof id === 'number' ? id : undefined,
    error:
      result === undefined ? `${String(failure.msg)} (code ${String(failure.code)})` : undefined,
    streams: Array.isArray(result) ? result.map(String) : undefined,
  } as const;
}

/** Whether JSON writes the name without escapes, so that the scanner may look for it in a frame. */
function isWrittenAsIs(stream: string | undefined): stream is string {
  return stream !== undefined && JSON.stringify(stream) === `"${stream}"`;
}

function remember<T>(known: Map<string, T>, key: string, make: () => T): void {
  if (!known.has(key) && known.size < rememberedLimit) known.set(key, make());
}
