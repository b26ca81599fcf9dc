import type { Micros } from '../base/clock.ts';
import { Failure } from '../cli/failure.ts';
import { formatTime } from '../cli/rfc3339.ts';
import type { BookTicker } from '../domain/book-ticker.ts';
import { instrumentName, splitInstrumentName } from '../domain/instrument.ts';
import type { ExchangeName, InstrumentName } from '../domain/instrument.ts';
import { InstrumentOrders } from './instrument-orders.ts';
import type { NumberedOrder, ReplayedOrder } from './instrument-orders.ts';
import type { WantedOrder } from './order-arguments.ts';

/** The orders of a replay: a backtest. */
export class OrderReplay {
  readonly #places = new Map<InstrumentName, InstrumentOrders>();

  /**
   * @param known the instruments that are in the files
   * @throws Failure for an order of another one
   */
  constructor(
    wanted: readonly WantedOrder[],
    exchange: ExchangeName,
    known: ReadonlySet<InstrumentName>,
  ) {
    const byInstrument = Map.groupBy(
      wanted.map((order, index): NumberedOrder => ({ ...order, number: index + 1 })),
      ({ symbol }) => resolve(symbol, exchange, known),
    );
    for (const [instrument, orders] of byInstrument) {
      this.#places.set(instrument, new InstrumentOrders(instrument, orders));
    }
  }

  /** The next line, of a file in which these instruments are, is of this time. */
  advance(instruments: Iterable<InstrumentName>, time: Micros): void {
    for (const instrument of instruments) this.#places.get(instrument)?.advance(time);
  }

  handleTicker(ticker: BookTicker): void {
    this.#places.get(ticker.instrument)?.handleTicker(ticker);
  }

  /**
   * What became of the orders, as the command line has them.
   * @throws Failure for one whose time never came
   */
  end(): readonly ReplayedOrder[] {
    const places = [...this.#places.values()];
    const [late] = places.flatMap(({ coming }) => coming);
    if (late?.at !== undefined) {
      throw new Failure(
        `Expected lines from ${formatTime(late.at)} on, for order ${late.number}: the files with ${late.symbol} end before`,
      );
    }
    return places
      .flatMap((place) => place.end())
      .toSorted((a, b) => Number(a.order.orderId) - Number(b.order.orderId));
  }
}

function resolve(
  symbol: string,
  exchange: ExchangeName,
  known: ReadonlySet<InstrumentName>,
): InstrumentName {
  const isFull = splitInstrumentName(symbol).exchange !== undefined;
  const instrument = isFull ? symbol : instrumentName(exchange, symbol);
  if (known.has(instrument)) return instrument;
  const there = known.size === 0 ? 'none' : [...known].toSorted().join(', ');
  throw new Failure(
    `Expected an instrument that is in the files, got ${instrument}; in them: ${there}`,
  );
}
