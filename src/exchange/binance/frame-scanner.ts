import type { Micros } from '../../base/clock.ts';
import { decimalScale } from '../../base/decimal.ts';
import type { Decimal } from '../../base/decimal.ts';
import type { BookTicker } from '../../domain/book-ticker.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import type { Trade } from '../../domain/trade.ts';
import { isPossibleDelay, isPossibleTime } from '../fields.ts';
import type { TimeRule } from '../fields.ts';
import { isTradeRange } from './payloads.ts';

/** A stream whose frames have been read before: what its next frame must begin with. */
export class KnownStream {
  readonly kind: 'aggTrade' | 'bookTicker';
  readonly instrument: InstrumentName;
  readonly head: string;
  /** What follows the first number: the rest of the frame's fixed part. */
  readonly symbolPart: string;
  // Prices and quantities repeat all the time; making a bigint anew costs more than comparing.
  readonly price = new LastDecimal();
  readonly quantity = new LastDecimal();
  readonly askPrice = new LastDecimal();
  readonly askQuantity = new LastDecimal();

  constructor(
    kind: KnownStream['kind'],
    stream: string,
    { instrument, symbol }: { readonly instrument: InstrumentName; readonly symbol: string },
  ) {
    this.kind = kind;
    this.instrument = instrument;
    this.head =
      kind === 'aggTrade'
        ? `{"stream":"${stream}","data":{"e":"aggTrade","E":`
        : `{"stream":"${stream}","data":{"u":`;
    this.symbolPart = `,"s":"${symbol}",${kind === 'aggTrade' ? '"a":' : '"b":"'}`;
  }
}

class LastDecimal {
  whole = 0;
  fraction = 0;
  scale = 0;
  value: Decimal = 0n;
}

/** As many digits as a number surely holds exactly. */
const exactDigits = 15;
const powersOfTen = Array.from({ length: exactDigits + 1 }, (_, scale) => 10 ** scale);
const one = 10n ** BigInt(decimalScale);
const factors = powersOfTen.map((_, scale) => 10n ** BigInt(decimalScale - scale));

/**
 * Reads the two hot frames without JSON.parse, at less than its cost: field by field in the very
 * order and form in which Binance writes them. Anything else at all makes it give up and return
 * undefined; then the careful way reads the frame and judges it. What it does accept, the careful
 * way would have read the same (a property test compares them).
 */
export class FrameScanner {
  readonly #rule: TimeRule;
  #text = '';
  #at = 0;
  #isPlain = true;

  constructor(rule: TimeRule) {
    this.#rule = rule;
  }

  scan(text: string, stream: KnownStream, receivedTime: Micros): Trade | BookTicker | undefined {
    return stream.kind === 'aggTrade'
      ? this.#aggTrade(text, stream, receivedTime)
      : this.#bookTicker(text, stream, receivedTime);
  }

  /** `{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","E":1,"s":"BTCUSDT","a":1,"p":"1.0","q":"1.0","f":1,"l":1,"T":1,"m":true,"M":true}}` */
  #aggTrade(text: string, stream: KnownStream, receivedTime: Micros): Trade | undefined {
    this.#start(text, stream);
    const eventTime = this.#integer() * this.#rule.microsPerUnit;
    this.#expect(stream.symbolPart);
    const id = this.#integer();
    this.#expect(',"p":"');
    const price = this.#decimal(stream.price);
    this.#expect('","q":"');
    const quantity = this.#decimal(stream.quantity);
    this.#expect('","f":');
    const firstTradeId = this.#integer();
    this.#expect(',"l":');
    const lastTradeId = this.#integer();
    this.#expect(',"T":');
    const exchangeTime = this.#integer() * this.#rule.microsPerUnit;
    this.#expect(',"m":');
    const isBuyerMaker = this.#boolean();
    this.#expect(',"M":');
    this.#boolean();
    if (
      !this.#isAtEnd() ||
      price === 0n ||
      quantity === 0n ||
      !isTradeRange(firstTradeId, lastTradeId) ||
      !isPossibleTime(eventTime, receivedTime, this.#rule) ||
      !isPossibleTime(exchangeTime, receivedTime, this.#rule) ||
      !isPossibleDelay(exchangeTime, eventTime)
    ) {
      return undefined;
    }
    return {
      type: 'trade',
      instrument: stream.instrument,
      id,
      price,
      quantity,
      takerSide: isBuyerMaker ? 'sell' : 'buy',
      exchangeTime,
      eventTime,
      receivedTime,
      firstTradeId,
      lastTradeId,
    };
  }

  /** `{"stream":"btcusdt@bookTicker","data":{"u":1,"s":"BTCUSDT","b":"1.0","B":"1.0","a":"1.0","A":"1.0"}}` */
  #bookTicker(text: string, stream: KnownStream, receivedTime: Micros): BookTicker | undefined {
    this.#start(text, stream);
    const updateId = this.#integer();
    this.#expect(stream.symbolPart);
    const bidPrice = this.#decimal(stream.price);
    this.#expect('","B":"');
    const bidQuantity = this.#decimal(stream.quantity);
    this.#expect('","a":"');
    const askPrice = this.#decimal(stream.askPrice);
    this.#expect('","A":"');
    const askQuantity = this.#decimal(stream.askQuantity);
    this.#expect('"');
    if (!this.#isAtEnd()) return undefined;
    return {
      type: 'bookTicker',
      instrument: stream.instrument,
      updateId,
      bidPrice,
      bidQuantity,
      askPrice,
      askQuantity,
      receivedTime,
    };
  }

  #start(text: string, { head }: KnownStream): void {
    this.#text = text;
    this.#at = 0;
    this.#isPlain = true;
    this.#expect(head);
  }

  #expect(literal: string): void {
    if (!this.#text.startsWith(literal, this.#at)) this.#isPlain = false;
    this.#at += literal.length;
  }

  /** JSON knows no leading zeros. */
  #integer(): number {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let value = 0;
    for (;;) {
      const digit = text.charCodeAt(at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      at++;
    }
    const length = at - start;
    if (length === 0 || length > exactDigits || (length > 1 && text.charCodeAt(start) === 48)) {
      this.#isPlain = false;
    }
    this.#at = at;
    return value;
  }

  /** At most 15 digits, a point, at most 15 digits. */
  #decimal(last: LastDecimal): Decimal {
    const text = this.#text;
    const start = this.#at;
    let at = start;
    let whole = 0;
    for (;;) {
      const digit = text.charCodeAt(at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      whole = whole * 10 + digit;
      at++;
    }
    const point = at;
    if (text.charCodeAt(at) === 46) at++;
    let fraction = 0;
    for (;;) {
      const digit = text.charCodeAt(at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      fraction = fraction * 10 + digit;
      at++;
    }
    this.#at = at;
    const scale = at - 1 - point;
    const wholeDigits = point - start;
    if (wholeDigits < 1 || wholeDigits > exactDigits || scale < 1 || scale > exactDigits) {
      this.#isPlain = false;
      return 0n;
    }
    if (whole !== last.whole || fraction !== last.fraction || scale !== last.scale) {
      last.whole = whole;
      last.fraction = fraction;
      last.scale = scale;
      const factor = factors[scale] as Decimal;
      // Nearly all fit one number: half the work.
      last.value =
        wholeDigits + scale <= exactDigits
          ? BigInt(whole * (powersOfTen[scale] as number) + fraction) * factor
          : BigInt(whole) * one + BigInt(fraction) * factor;
    }
    return last.value;
  }

  #boolean(): boolean {
    const isTrue = this.#text.charCodeAt(this.#at) === 116;
    this.#expect(isTrue ? 'true' : 'false');
    return isTrue;
  }

  #isAtEnd(): boolean {
    this.#expect('}}');
    return this.#isPlain && this.#at === this.#text.length;
  }
}
