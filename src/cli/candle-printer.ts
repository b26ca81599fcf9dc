import { styleText } from 'node:util';
import type { Candle } from '../domain/candle.ts';
import { candleCsvHeader, candleToCsv, candleToJson } from './candle-record.ts';
import { CandleTable } from './candle-table.ts';
import { LiveLine } from './live-line.ts';
import { sparkline } from './sparkline.ts';
import { writeLines } from './write-lines.ts';

export type CandleFormat = 'table' | 'json' | 'csv';

/** A sparkline longer than this no longer fits on a line. */
const sparklineLength = 80;

/** Prints candles as they come: first a list, then one line each. */
export class CandlePrinter {
  readonly #format: CandleFormat;
  readonly #table = new CandleTable(process.stdout);
  #hasHeader = false;
  readonly #lastLine = new LiveLine(process.stdout);

  constructor(format: CandleFormat) {
    this.#format = format;
  }

  async printList(candles: readonly Candle[]): Promise<void> {
    if (this.#format === 'csv') await writeLines(process.stdout, [candleCsvHeader]);
    if (this.#format !== 'table') await writeLines(process.stdout, candles.map(this.#line));
    // Without a candle it is not known how wide the columns are: the header waits for the first one.
    else if (candles.length > 0) {
      this.#hasHeader = true;
      await writeLines(process.stdout, this.#table.lines(candles));
    }
  }

  /** A line of blocks for people: how the close moved. */
  async printSparkline(candles: readonly Candle[]): Promise<void> {
    if (this.#format !== 'table' || candles.length < 2) return;
    const closes = candles.slice(-sparklineLength).map(({ close }) => close);
    const label = styleText('dim', 'close', { stream: process.stdout });
    await writeLines(process.stdout, ['', `${label} ${sparkline(closes)}`]);
  }

  /** One line that stays. */
  async print(candle: Candle): Promise<void> {
    this.endLine();
    await this.#printHeader(candle);
    await writeLines(process.stdout, [this.#line(candle)]);
  }

  /** The last line of a terminal, which the next one takes the place of. */
  async printInPlace(candle: Candle): Promise<void> {
    await this.#printHeader(candle);
    this.#lastLine.show(this.#line(candle));
  }

  /** Takes away what was printed in place. */
  endLine(): void {
    this.#lastLine.clear();
  }

  async #printHeader(candle: Candle): Promise<void> {
    if (this.#hasHeader || this.#format !== 'table') return;
    this.#hasHeader = true;
    await writeLines(process.stdout, [...this.#table.lines([candle])].slice(0, 1));
  }

  readonly #line = (candle: Candle): string => {
    if (this.#format === 'csv') return candleToCsv(candle);
    return this.#format === 'json' ? candleToJson(candle) : this.#table.line(candle);
  };
}
