import type { Micros } from '../base/clock.ts';
import { formatDecimal, parseSignedDecimal } from '../base/decimal.ts';
import type { Decimal } from '../base/decimal.ts';
import type { Execution } from '../domain/execution.ts';

/** Hexadecimal digits of a time. */
const timeDigits = 16;

/** Times are written as Postgres sends them: 64 bits of microseconds since 2000. */
const epoch: Micros = Date.UTC(2000, 0, 1) * 1000;

const columnSeparator = '|';

/**
 * Executions of one account and instrument in their order, column by column, as read_executions
 * writes them: texts, each read when it is asked for. Rows would cost more than what is done with them.
 */
export class ExecutionRun {
  readonly #times: string;
  readonly #quantities: readonly string[];
  readonly #prices: readonly string[];
  readonly #fees: readonly string[];

  constructor(
    times: string,
    quantities: readonly string[],
    prices: readonly string[],
    fees: readonly string[],
  ) {
    this.#times = times;
    this.#quantities = quantities;
    this.#prices = prices;
    this.#fees = fees;
  }

  /** Of the columns that read_executions answers. */
  static ofColumns(times: string, quantities: string, prices: string, fees: string): ExecutionRun {
    return new ExecutionRun(times, wordsOf(quantities), wordsOf(prices), wordsOf(fees));
  }

  static of(
    executions: readonly Pick<Execution, 'executedTime' | 'quantity' | 'price' | 'fee'>[],
  ): ExecutionRun {
    return new ExecutionRun(
      executions.map(({ executedTime }) => formatTime(executedTime)).join(''),
      executions.map(({ quantity }) => formatDecimal(quantity)),
      executions.map(({ price }) => formatDecimal(price)),
      executions.map(({ fee }) => formatDecimal(fee)),
    );
  }

  /** Reads what `text` wrote. */
  static parse(text: string): ExecutionRun {
    const [times = '', quantities = '', prices = '', fees = ''] = text.split(columnSeparator);
    return ExecutionRun.ofColumns(times, quantities, prices, fees);
  }

  get length(): number {
    return this.#quantities.length;
  }

  timeAt(index: number): Micros {
    const start = index * timeDigits;
    const high = Number.parseInt(this.#times.slice(start, start + 8), 16) | 0;
    const low = Number.parseInt(this.#times.slice(start + 8, start + timeDigits), 16);
    return high * 2 ** 32 + low + epoch;
  }

  quantityAt(index: number): Decimal {
    return parseSignedDecimal(this.#quantities[index] ?? '');
  }

  priceAt(index: number): Decimal {
    return parseSignedDecimal(this.#prices[index] ?? '');
  }

  feeAt(index: number): Decimal {
    return parseSignedDecimal(this.#fees[index] ?? '');
  }

  /** What lies from `start` up to `end`. */
  slice(start: number, end: number): ExecutionRun {
    return new ExecutionRun(
      this.#times.slice(start * timeDigits, end * timeDigits),
      this.#quantities.slice(start, end),
      this.#prices.slice(start, end),
      this.#fees.slice(start, end),
    );
  }

  /** All of it as one text. */
  text(): string {
    const columns = [this.#quantities, this.#prices, this.#fees].map((column) => column.join(' '));
    return [this.#times, ...columns].join(columnSeparator);
  }
}

function wordsOf(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ');
}

function formatTime(time: Micros): string {
  return BigInt.asUintN(64, BigInt(time - epoch))
    .toString(16)
    .padStart(timeDigits, '0');
}
