import type { Micros } from '../../base/clock.ts';
import { DecimalColumn } from '../../base/decimal-column.ts';
import { formatDecimal } from '../../base/decimal.ts';
import type { Decimal } from '../../base/decimal.ts';
import type { Execution } from '../../domain/execution.ts';

/** Hexadecimal digits of a time. */
const timeDigits = 16;

/** Times are written as Postgres sends them: 64 bits of microseconds since 2000. */
const epoch: Micros = Date.UTC(2000, 0, 1) * 1000;

const columnSeparator = '|';

/**
 * Executions of one account and instrument in their order, column by column, as read_executions
 * writes them: texts, read one after the other. Rows would cost more than what is done with them.
 */
export class ExecutionRun {
  readonly #times: string;
  readonly #quantities: string;
  readonly #prices: string;
  readonly #fees: string;

  /** The columns that read_executions answers: times without blanks, numbers between them. */
  constructor(times: string, quantities: string, prices: string, fees: string) {
    this.#times = times;
    this.#quantities = quantities;
    this.#prices = prices;
    this.#fees = fees;
  }

  static of(
    executions: readonly Pick<Execution, 'executedTime' | 'quantity' | 'price' | 'fee'>[],
  ): ExecutionRun {
    const column = (valueOf: (execution: (typeof executions)[number]) => Decimal) =>
      executions.map((execution) => formatDecimal(valueOf(execution))).join(' ');
    return new ExecutionRun(
      executions.map(({ executedTime }) => formatTime(executedTime)).join(''),
      column(({ quantity }) => quantity),
      column(({ price }) => price),
      column(({ fee }) => fee),
    );
  }

  /** Reads what `text` wrote. */
  static parse(text: string): ExecutionRun {
    const [times = '', quantities = '', prices = '', fees = ''] = text.split(columnSeparator);
    return new ExecutionRun(times, quantities, prices, fees);
  }

  get length(): number {
    return this.#times.length / timeDigits;
  }

  timeAt(index: number): Micros {
    const start = index * timeDigits;
    const high = Number.parseInt(this.#times.slice(start, start + 8), 16) | 0;
    const low = Number.parseInt(this.#times.slice(start + 8, start + timeDigits), 16);
    return high * 2 ** 32 + low + epoch;
  }

  /** Reads them from the first one on. */
  read(): ExecutionCursor {
    return new ExecutionCursor(this.#times, this.#quantities, this.#prices, this.#fees);
  }

  /** All of it as one text. */
  text(): string {
    return [this.#times, this.#quantities, this.#prices, this.#fees].join(columnSeparator);
  }
}

/** Reads the executions of a run one after the other. Mutable, because millions go through it. */
export class ExecutionCursor {
  quantity: Decimal = 0n;
  price: Decimal = 0n;
  fee: Decimal = 0n;
  readonly #texts: readonly [times: string, quantities: string, prices: string, fees: string];
  readonly #quantities: DecimalColumn;
  readonly #prices: DecimalColumn;
  readonly #fees: DecimalColumn;
  #timesPlace = 0;
  /** Where the last cut was, in each text. */
  #cut: readonly number[] = [0, 0, 0, 0];

  constructor(times: string, quantities: string, prices: string, fees: string) {
    this.#texts = [times, quantities, prices, fees];
    this.#quantities = new DecimalColumn(quantities);
    this.#prices = new DecimalColumn(prices);
    this.#fees = new DecimalColumn(fees);
  }

  /** Goes to the next one, the first one at first; there must be one. */
  next(): void {
    this.#timesPlace += timeDigits;
    this.quantity = this.#quantities.next();
    this.price = this.#prices.next();
    this.fee = this.#fees.next();
  }

  /** Those from the last cut on, up to and with the one that it is at. */
  cut(): ExecutionRun {
    const places = [this.#quantities.place, this.#prices.place, this.#fees.place];
    const [time = 0, ...starts] = this.#cut;
    this.#cut = [this.#timesPlace, ...places];
    const [times, ...columns] = this.#texts;
    // A blank behind the last one does not belong to it.
    const [quantities = '', prices = '', fees = ''] = columns.map((text, column) =>
      text.slice(starts[column], (places[column] ?? 0) - 1),
    );
    return new ExecutionRun(times.slice(time, this.#timesPlace), quantities, prices, fees);
  }
}

function formatTime(time: Micros): string {
  return BigInt.asUintN(64, BigInt(time - epoch))
    .toString(16)
    .padStart(timeDigits, '0');
}
