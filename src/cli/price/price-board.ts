import type { Writable } from 'node:stream';
import { styleText } from 'node:util';
import type { LatestPrice } from '../../../gen/tradewind/market/v1/price_service_pb.ts';
import { Table } from '../table.ts';
import { parseSum } from '../../base/decimal.ts';
import { timeOf } from '../rfc3339.ts';

/** What a terminal is written to, and how many rows it has. */
type Terminal = Writable & { readonly rows?: number };

/** Without a terminal’s word on its height. */
const usualRows = 24;

/** A table of latest prices that stays where it is on a terminal, while its prices change. */
export class PriceBoard {
  readonly #stream: Terminal;
  readonly #table = new Table([
    { title: 'SYMBOL', align: 'left' },
    { title: 'EXCHANGE', align: 'left' },
    { title: 'PRICE', align: 'right' },
    { title: 'TIME', align: 'left' },
  ]);
  readonly #latest = new Map<string, LatestPrice>();
  /** Which way each price went last. */
  readonly #direction = new Map<string, 'up' | 'down'>();
  #drawnLines = 0;

  constructor(stream: Terminal) {
    this.#stream = stream;
  }

  set(price: LatestPrice): void {
    const key = keyOf(price);
    const before = this.#latest.get(key);
    const change = before === undefined ? 0n : parseSum(price.price) - parseSum(before.price);
    if (change !== 0n) this.#direction.set(key, change > 0n ? 'up' : 'down');
    this.#latest.set(key, price);
  }

  /** Lets go of all but these instruments, "binance:BTCUSDT". */
  keep(instruments: readonly string[]): void {
    const kept = new Set(instruments);
    for (const [key, { exchange, symbol }] of this.#latest) {
      if (kept.has(`${exchange}:${symbol}`)) continue;
      this.#latest.delete(key);
      this.#direction.delete(key);
    }
  }

  /** Draws it over what was drawn before; what a terminal has no room for is counted. */
  draw(): void {
    const keys = [...this.#latest.keys()].toSorted();
    const room = Math.max(1, (this.#stream.rows ?? usualRows) - 3);
    const rows = keys.slice(0, room).map((key) => this.#row(key));
    for (const row of rows) this.#table.fit(row);
    const lines = [
      styleText('bold', this.#table.header(), { stream: this.#stream }),
      ...rows.map((row) => this.#table.line(row)),
    ];
    if (keys.length > room) lines.push(`… and ${keys.length - room} more`);
    const up = this.#drawnLines > 0 ? `\u001b[${this.#drawnLines}A` : '';
    // What stood below, when there were more, goes.
    const rest = lines.length < this.#drawnLines ? '\u001b[J' : '';
    this.#stream.write(`${up}${lines.map((line) => `\u001b[2K${line}\n`).join('')}${rest}`);
    this.#drawnLines = lines.length;
  }

  /** What is written next stands below it. */
  leave(): void {
    this.#drawnLines = 0;
  }

  #row(key: string): string[] {
    const { symbol = '', exchange = '', price = '', timestamp } = this.#latest.get(key) ?? {};
    const direction = this.#direction.get(key);
    const colour = direction === 'up' ? 'green' : 'red';
    const shown =
      direction === undefined ? price : styleText(colour, price, { stream: this.#stream });
    return [symbol, exchange, shown, timeOf(timestamp)];
  }
}

/** By symbol, then by exchange. */
function keyOf({ symbol, exchange }: LatestPrice): string {
  return `${symbol} ${exchange}`;
}
