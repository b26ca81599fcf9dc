import { expect, test } from 'vitest';
import { silentLogger } from '../../src/base/logger.ts';
import type { Kline } from '../../src/domain/kline.ts';
import { Audit } from '../../src/exchange/audit.ts';
import { binance } from '../../src/exchange/binance.ts';
import type { ExchangeFacts, ExchangeRest } from '../../src/exchange/exchange.ts';
import { RestError } from '../../src/exchange/rest-error.ts';
import { eventually } from '../support/eventually.ts';
import { MarketTape, at } from '../support/market-tape.ts';
import { TwinClock } from '../support/twin-clock.ts';

const instrument = 'binance:BTCUSDT';

/** An audit of a market by an exchange that answers with these klines. */
function openAudit(
  tape: MarketTape,
  klines: () => readonly Kline[],
  facts: ExchangeFacts = binance.facts,
) {
  const clock = new TwinClock(at(185_000));
  const answers: Partial<ExchangeRest> = {
    facts,
    klines: () => Promise.resolve(klines()),
  };
  const rest = answers as ExchangeRest;
  const audit = new Audit({
    rest,
    instruments: [instrument],
    closedCandle: (name, openTime) => tape.market.closedCandle(name, '1m', openTime),
    handle: (event) => tape.market.handle(event),
    exchangeTime: () => clock.now(),
    periodMs: 10_000,
    clock,
    logger: silentLogger,
  });
  return { audit, clock };
}

/** What the market made of three minutes, as the exchange would tell it. */
function threeMinutes() {
  const tape = new MarketTape().opened(-1_000).trade(-500, 1).trade(100, 2).trade(60_100, 3, '101');
  tape.ticker(180_500);
  const klines = tape
    .candles('1m')
    .filter(({ openTime, isClosed }) => isClosed && openTime >= at(0));
  return { tape, klines };
}

test('candles that are the exchange’s are counted as equal', async () => {
  const { tape, klines } = threeMinutes();
  const { audit, clock } = openAudit(tape, () => klines);
  clock.moveTo(at(195_000));
  await eventually(() =>
    expect(audit.counts(instrument)).toEqual({ compared: 3, equal: 3, mended: 0 }),
  );
  await audit[Symbol.asyncDispose]();
  expect(clock.pendingTimers).toBe(0);
});

test('a candle that is not is replaced by the exchange’s, with a higher revision', async () => {
  const { tape, klines } = threeMinutes();
  const [first, ...rest] = klines;
  const theirs = { ...first, high: 105n * 10n ** 18n } as Kline;
  const { audit, clock } = openAudit(tape, () => [theirs, ...rest]);
  clock.moveTo(at(195_000));
  await eventually(() =>
    expect(audit.counts(instrument)).toEqual({ compared: 3, equal: 2, mended: 1 }),
  );
  expect(tape.closed('1m').at(-1)).toBe('0 100/105/100/100 n=1 r2');
  await audit[Symbol.asyncDispose]();
});

test('a kline of fewer trades than we have seen is only counted', async () => {
  const { tape, klines } = threeMinutes();
  const [first, ...rest] = klines;
  const theirs = { ...first, tradeCount: 0, volume: 0n } as Kline;
  const { audit, clock } = openAudit(tape, () => [theirs, ...rest]);
  clock.moveTo(at(195_000));
  await eventually(() =>
    expect(audit.counts(instrument)).toEqual({ compared: 3, equal: 2, mended: 0 }),
  );
  expect(tape.closed('1m')).toHaveLength(4);
  await audit[Symbol.asyncDispose]();
});

test('what is known to lack trades is not compared, and no answer is no mismatch', async () => {
  const tape = new MarketTape().opened(0).trade(100, 1).trade(60_100, 9).ticker(180_500);
  const candles = tape.candles('1m').filter(({ isClosed }) => isClosed);
  let isRefused = true;
  const { audit, clock } = openAudit(tape, () => {
    if (!isRefused) return candles;
    isRefused = false;
    throw new RestError('failed', 'no');
  });
  await clock.advance(30_000, 10_000);
  // The first minute is partial and the second lacks trades: the third alone can be compared.
  await eventually(() => expect(audit.counts(instrument).compared).toBeGreaterThan(0));
  expect(audit.counts(instrument).equal).toBe(audit.counts(instrument).compared);
  await audit[Symbol.asyncDispose]();
});

test('an exchange without whole klines is not asked for any', async () => {
  const { tape, klines } = threeMinutes();
  let isAsked = false;
  const tell = () => {
    isAsked = true;
    return klines;
  };
  const facts: ExchangeFacts = { ...binance.facts, klines: 'none' };
  const { audit, clock } = openAudit(tape, tell, facts);
  await clock.advance(60_000, 10_000);
  expect(isAsked).toBe(false);
  expect(audit.counts(instrument)).toEqual({ compared: 0, equal: 0, mended: 0 });
  await audit[Symbol.asyncDispose]();
});
