import { InvalidArgumentError } from 'commander';
import type { Micros } from '../base/clock.ts';
import { parseDecimal } from '../base/decimal.ts';
import type { Decimal } from '../base/decimal.ts';
import { parseDuration } from '../base/duration.ts';
import { parseTime } from '../cli/executions/execution-time.ts';
import type { OrderSide, TimeInForce } from '../domain/order.ts';

/** When an order is submitted, and how long it may wait. */
type Terms = {
  /** Undefined: before the first line. */
  readonly at?: Micros;
  readonly timeInForce?: TimeInForce;
  /** Of a GTD order: it expires this long after its acceptance. */
  readonly timeout?: Micros;
};

/** What an --order asks for. */
export type WantedOrder = Terms & {
  readonly side: OrderSide;
  readonly quantity: Decimal;
  /** ETHUSDT, or with its exchange, binance:ETHUSDT. */
  readonly symbol: string;
  readonly limitPrice: Decimal;
  readonly timeInForce: TimeInForce;
};

const example = 'Expected an order like "sell 500 ETHUSDT @ 2682"';

/**
 * The orders of a command line, in its order. Terms that follow an --order are its own; those before
 * the first one are those of all that have none.
 */
export class OrderArguments {
  readonly #orders: (Omit<WantedOrder, keyof Terms> & Terms)[] = [];
  #common: Terms = {};

  get isEmpty(): boolean {
    return this.#orders.length === 0;
  }

  /** Whether there are terms of no order. */
  get isDangling(): boolean {
    return this.isEmpty && Object.keys(this.#common).length > 0;
  }

  /** @throws InvalidArgumentError */
  addOrder(text: string): void {
    this.#orders.push(parseOrder(text));
  }

  /** @throws InvalidArgumentError */
  addAt(text: string): void {
    const time = parseTime(text);
    if (time === undefined) {
      throw new InvalidArgumentError('Expected a time like 2026-01-01T12:00:00Z.');
    }
    this.#addTerms({ at: Number(time.seconds) * 1_000_000 + Math.floor(time.nanos / 1000) });
  }

  addTimeInForce(text: string): void {
    const timeInForce = timesInForce[text];
    if (timeInForce === undefined) {
      throw new InvalidArgumentError(`Expected one of ${Object.keys(timesInForce).join(', ')}.`);
    }
    this.#addTerms({ timeInForce });
  }

  /** @throws InvalidArgumentError */
  addTimeout(text: string): void {
    const nanos = parseDuration(text);
    if (nanos === undefined || nanos < 1_000_000n || nanos > longestTimeoutNanos) {
      throw new InvalidArgumentError('Expected a duration from 1ms to 366d, like 30s.');
    }
    this.#addTerms({ timeout: Number(nanos / 1000n) });
  }

  /** @throws InvalidArgumentError for terms that contradict each other */
  all(): readonly WantedOrder[] {
    return this.#orders.map((own) => {
      const order = { ...this.#common, ...own };
      const { timeout, timeInForce = timeout === undefined ? 'GTC' : 'GTD' } = order;
      if ((timeInForce === 'GTD') !== (timeout !== undefined)) {
        throw new InvalidArgumentError(
          timeout === undefined
            ? 'Expected a --timeout of an order that is good till a time (gtd).'
            : `Expected no --timeout of an order that does not expire (${timeInForce.toLowerCase()}).`,
        );
      }
      return { ...order, timeInForce };
    });
  }

  #addTerms(terms: Terms): void {
    const last = this.#orders.pop();
    if (last === undefined) this.#common = { ...this.#common, ...terms };
    else this.#orders.push({ ...last, ...terms });
  }
}

const timesInForce: Readonly<Record<string, TimeInForce>> = {
  gtc: 'GTC',
  gtd: 'GTD',
  ioc: 'IOC',
  fok: 'FOK',
};

/** As the service has it. */
const longestTimeoutNanos = 366n * 86_400_000_000_000n;

/** "sell 500 ETHUSDT @ 2682" */
function parseOrder(text: string): Omit<WantedOrder, keyof Terms> {
  const words = /^\s*(\S+)\s+(\S+)\s+(\S+?)\s*@\s*(\S+)\s*$/u.exec(text);
  if (words === null) throw new InvalidArgumentError(`${example}.`);
  const [, side = '', quantity = '', symbol = '', price = ''] = words;
  return {
    side: parseSide(side),
    quantity: parseAmount('quantity', quantity),
    symbol,
    limitPrice: parseAmount('price', price),
  };
}

function parseSide(text: string): OrderSide {
  const side = text.toLowerCase();
  if (side === 'buy' || side === 'sell') return side;
  throw new InvalidArgumentError(`${example}: buy or sell, not ${JSON.stringify(text)}.`);
}

function parseAmount(name: string, text: string): Decimal {
  let amount: Decimal | undefined;
  try {
    amount = parseDecimal(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  if (amount !== undefined && amount > 0n) return amount;
  throw new InvalidArgumentError(
    `${example}: a ${name} above 0 with at most 15 digits before and 18 after the point, not ${JSON.stringify(text)}.`,
  );
}
