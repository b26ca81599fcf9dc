import { styleText } from 'node:util';
import { formatDecimal } from '../base/decimal.ts';
import type { Candle } from '../domain/candle.ts';
import { formatTime } from './rfc3339.ts';
import { Table } from './table.ts';
import type { Column } from './table.ts';

/** Where a table goes: it decides about colours (NO_COLOR, FORCE_COLOR and pipes are respected). */
export type StyledStream = NodeJS.WritableStream;

const columns: readonly Column[] = [
  { title: 'INSTRUMENT', align: 'left' },
  { title: 'TF', align: 'left' },
  { title: 'OPEN TIME', align: 'left' },
  { title: 'OPEN', align: 'right' },
  { title: 'HIGH', align: 'right' },
  { title: 'LOW', align: 'right' },
  { title: 'CLOSE', align: 'right' },
  { title: 'VOLUME', align: 'right' },
  { title: 'TRADES', align: 'right' },
  { title: '', align: 'left' },
];

/** Candles in rows for people. Numbers are whole: what is 1e-8 shows as 0.00000001. */
export class CandleTable {
  readonly #table = new Table(columns);
  readonly #stream: StyledStream;

  constructor(stream: StyledStream) {
    this.#stream = stream;
  }

  /** The header and one line each, all equally wide. */
  *lines(candles: readonly Candle[]): Iterable<string> {
    for (const candle of candles) this.#table.fit(cells(candle));
    yield styleText('bold', this.#table.header(), { stream: this.#stream });
    for (const candle of candles) yield this.line(candle);
  }

  /** One more line below them. */
  line(candle: Candle): string {
    const row = cells(candle);
    const colour = candle.close < candle.open ? 'red' : 'green';
    row[6] = styleText(colour, row[6] ?? '', { stream: this.#stream });
    row[9] = styleText('dim', row[9] ?? '', { stream: this.#stream });
    return this.#table.line(row);
  }
}

function cells(candle: Candle): string[] {
  return [
    candle.instrument,
    candle.timeframe,
    formatTime(candle.openTime),
    formatDecimal(candle.open),
    formatDecimal(candle.high),
    formatDecimal(candle.low),
    formatDecimal(candle.close),
    formatDecimal(candle.volume),
    String(candle.tradeCount),
    remarks(candle),
  ];
}

/** What is special about a candle; an ordinary closed one has nothing to say. */
function remarks(candle: Candle): string {
  const words: string[] = [];
  if (!candle.isClosed) words.push('open');
  if (candle.isPartial) words.push('partial');
  if (!candle.isComplete) words.push('incomplete');
  if (candle.revision > 1) words.push(`revision ${candle.revision}`);
  if (candle.source === 'klines') words.push('from klines');
  return words.join(', ');
}
