import { randomInt } from 'node:crypto';
import type { Micros } from '../../base/clock.ts';
import { timestampOf } from '../../rpc/messages.ts';
import type { ExecutionSource, SourceRow } from './execution-source.ts';

/** The first moment of 2000. */
const earliest: Micros = Date.UTC(2000, 0, 1) * 1000;
const largestQuantity = 999;
/** Prices are up to a thousand, in hundredths; low ones are likelier than high ones. */
const largestPrice = 1_000;
const batchSize = 1_000;

export type RandomExecutionsOptions = {
  readonly count: number;
  readonly instruments: readonly string[];
  readonly account: string;
  /** Names this run of the generator: its ids begin with it. */
  readonly run: string;
  readonly now: Micros;
};

/** Makes random executions: whole quantities, bought and sold, in no order of time, never zero. */
export class RandomExecutions implements ExecutionSource {
  readonly #options: RandomExecutionsOptions;

  constructor(options: RandomExecutionsOptions) {
    this.#options = options;
  }

  async *rows(): AsyncGenerator<readonly SourceRow[]> {
    for (let first = 0; first < this.#options.count; first += batchSize) {
      const size = Math.min(batchSize, this.#options.count - first);
      yield Array.from({ length: size }, (_, index) => this.#row(first + index + 1));
    }
  }

  #row(line: number): SourceRow {
    const { instruments, account, run, now } = this.#options;
    const hundredths = Math.max(1, Math.round(Math.random() * Math.random() * largestPrice * 100));
    const quantity = randomInt(1, largestQuantity + 1) * (randomInt(2) === 0 ? 1 : -1);
    return {
      line,
      text: '',
      source: 'random',
      execution: {
        sourceId: `${run}-${line}`,
        account,
        instrument: instruments[randomInt(instruments.length)] ?? '',
        quantity: String(quantity),
        price: `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`,
        fee: '',
        corrects: '',
        executedTime: timestampOf(earliest + Math.floor(Math.random() * (now - earliest))),
      },
    };
  }
}
