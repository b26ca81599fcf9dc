import fc from 'fast-check';
import type { ModelTrade } from './candle-model.ts';

/** Something that reaches the market, at a time. */
export type Delivery =
  | { readonly type: 'trade' | 'lastTrade'; readonly at: number; readonly trade: ModelTrade }
  | { readonly type: 'recovered'; readonly at: number; readonly trades: readonly ModelTrade[] }
  | { readonly type: 'bookTicker' | 'connectionLost' | 'connectionOpened'; readonly at: number };

/** One life of a server: what reached it, from its first connection to its last frame. */
export type Life = readonly Delivery[];

/** All trades of the scenario are sent this long before they are received. */
export const delay = 10_000;

// Just before a month, a week, a 3d and a day begin; and on an ordinary afternoon.
const starts = [
  Date.UTC(2024, 3, 1) - 2_500,
  Date.UTC(2026, 2, 2) - 1_500,
  Date.UTC(2024, 1, 29) - 700,
  Date.UTC(2025, 11, 31, 23, 59, 58),
  Date.UTC(2026, 5, 10, 14, 3, 7, 250),
].map((time) => time * 1000);

const someTrade = fc.record({
  // Several trades within one millisecond are common.
  afterMs: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 5, arbitrary: fc.nat(900) },
    { weight: 1, arbitrary: fc.nat(4000) },
  ),
  price: fc.integer({ min: 95, max: 105 }),
  quantity: fc.integer({ min: 1, max: 50 }),
  isBuyerTaker: fc.boolean(),
  singles: fc.integer({ min: 1, max: 3 }),
  lateMs: fc.oneof({ weight: 8, arbitrary: fc.nat(40) }, { weight: 2, arbitrary: fc.nat(6000) }),
  isLost: fc.nat(19).map((value) => value === 0),
  againAfterMs: fc.option(fc.nat(3000), { freq: 5 }),
});

/** Trades that come late, out of order, twice or never, over a connection that breaks. */
export const scenarios = fc
  .record({
    start: fc.constantFrom(...starts),
    // How far apart the trades are; the longest spans are the rarest, since each second counts.
    scale: fc.oneof(
      { weight: 60, arbitrary: fc.constant(1) },
      { weight: 30, arbitrary: fc.constant(20) },
      { weight: 2, arbitrary: fc.constant(300) },
    ),
    trades: fc.array(someTrade, { minLength: 1, maxLength: 24 }),
    tickersMs: fc.array(fc.nat(20_000), { maxLength: 12 }),
    breakFrom: fc.option(fc.nat(20), { freq: 3 }),
    breakLength: fc.nat(4),
    // How long before the start the exchange says that the last trade was; null: it is not asked.
    lastTradeMs: fc.option(fc.constantFrom(1, 300, 5_000, 3_600_000), { freq: 2 }),
    restartAfter: fc.option(fc.nat(20), { freq: 3 }),
    // Whether what was missed is asked for in the end, when all candles have closed without it.
    isRecovered: fc.boolean(),
  })
  .map((parts) => {
    let time = parts.start;
    let single = 500;
    const all: ModelTrade[] = [];
    const deliveries: Delivery[] = parts.tickersMs.map((ms) => ({
      type: 'bookTicker',
      at: parts.start + ms * 1000 * parts.scale,
    }));
    for (const [index, some] of parts.trades.entries()) {
      time += some.afterMs * 1000 * parts.scale;
      const trade: ModelTrade = {
        id: 1000 + index,
        time,
        price: BigInt(some.price) * 10n ** 16n,
        quantity: BigInt(some.quantity) * 10n ** 15n,
        isBuyerTaker: some.isBuyerTaker,
        firstTradeId: single,
        lastTradeId: single + some.singles - 1,
      };
      single += some.singles;
      all.push(trade);
      if (some.isLost) continue;
      const at = time + delay + some.lateMs * 1000;
      deliveries.push({ type: 'trade', at, trade });
      if (some.againAfterMs !== null) {
        deliveries.push({ type: 'trade', at: at + some.againAfterMs * 1000, trade });
      }
    }
    deliveries.sort((a, b) => a.at - b.at);
    const lives = livesOf(deliveries, parts);
    const [first, ...rest] = lives;
    const begun =
      first === undefined || parts.lastTradeMs === null
        ? lives
        : [withLastTrade(first, parts.start, parts.lastTradeMs), ...rest];
    return { lives: parts.isRecovered ? begun.map((life) => withMissing(life, all)) : begun };
  });

/** Recovers in the end what is missing between the trades that came. */
function withMissing(life: Life, all: readonly ModelTrade[]): Life {
  const seen = new Set(
    life.flatMap((delivery) => ('trade' in delivery ? [delivery.trade.id] : [])),
  );
  const lowest = Math.min(...seen);
  const highest = Math.max(...seen);
  const trades = all.filter(({ id }) => id > lowest && id < highest && !seen.has(id));
  return [...life, { type: 'recovered', at: life.at(-1)?.at ?? 0, trades }];
}

/** Breaks the connection, restarts the server, and ends each life with frames that prove continuity. */
function livesOf(
  deliveries: readonly Delivery[],
  parts: { breakFrom: number | null; breakLength: number; restartAfter: number | null },
): Life[] {
  const restart = parts.restartAfter ?? Infinity;
  const lives = [deliveries.slice(0, restart), deliveries.slice(restart)];
  return lives
    .filter((life) => life.some(({ type }) => type === 'trade'))
    .map((life, index) => {
      const from = index === 0 ? (parts.breakFrom ?? Infinity) : Infinity;
      const broken = life.slice(0, from);
      const rest = life.slice(from + parts.breakLength);
      const at = life[from]?.at;
      const whole: Delivery[] =
        at === undefined || rest.length === 0
          ? [...life]
          : [...broken, { type: 'connectionLost', at }, { type: 'connectionOpened', at }, ...rest];
      return withEnd([{ type: 'connectionOpened', at: life[0]?.at ?? 0 }, ...whole]);
    });
}

/** Begins with the exchange's word on a trade before the first one. */
function withLastTrade([opened, ...rest]: Life, start: number, ms: number): Life {
  if (opened === undefined) return [];
  const ids = { id: 999, firstTradeId: 498, lastTradeId: 499 };
  const amounts = { price: 10n ** 18n, quantity: 3n * 10n ** 15n, isBuyerTaker: true };
  const trade = { ...ids, ...amounts, time: start - ms * 1000 };
  const told = { type: 'lastTrade', trade } as const;
  const isWithoutTrade = !rest.some((delivery) => 'trade' in delivery);
  const proof = isWithoutTrade ? [{ ...told, at: rest.at(-2)?.at ?? start }] : [];
  const last = rest.slice(-1);
  return [
    { ...opened, at: start },
    { ...told, at: start },
    ...rest.slice(0, -1),
    ...proof,
    ...last,
  ];
}

function withEnd(life: Life): Life {
  const last = life.at(-1)?.at ?? 0;
  // The newest trade once more: after a break it proves that nothing newer was missed.
  const newest = life
    .filter((delivery) => 'trade' in delivery)
    .toSorted((a, b) => b.trade.id - a.trade.id)[0];
  return [
    ...life,
    ...(newest === undefined ? [] : [{ ...newest, at: last }]),
    { type: 'bookTicker', at: last + 90_000_000 },
  ];
}
