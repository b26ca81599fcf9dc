import { describe, expect, test } from 'vitest';
import type { IdOrder } from '../../src/domain/market-event.ts';
import { aTrade } from '../support/builders.ts';
import { MarketTape, at } from '../support/market-tape.ts';

// Where an exchange's ids only rise, a hole in them proves nothing by itself.

const instruments = ['binance:BTCUSDT'];

class RisingTape extends MarketTape {
  reopened(ms: number, connection: string, idOrder: IdOrder = 'monotonic'): this {
    const receivedTime = at(ms);
    this.market.handle({
      type: 'connectionOpened',
      connection,
      instruments,
      idOrder,
      receivedTime,
    });
    return this;
  }

  recovered(ms: number, ...trades: readonly (readonly [ms: number, id: number])[]): this {
    this.market.handle({
      type: 'recoveredTrades',
      instrument: instruments[0] ?? '',
      trades: trades.map(([tradeMs, id]) => aTrade({ id, exchangeTime: at(tradeMs) })),
      wholeFrom: undefined,
      receivedTime: at(ms),
    });
    return this;
  }

  absent(firstId: number, lastId: number, isNothingMissing: boolean): this {
    const [instrument = ''] = instruments;
    this.market.handle({ type: 'absentTrades', instrument, firstId, lastId, isNothingMissing });
    return this;
  }
}

const missing = (tape: MarketTape) => tape.market.statuses(at(0))[0]?.tradesMissing;

describe('while the connection holds', () => {
  test('ids that are left out are no gap, and candles are complete', () => {
    const tape = new RisingTape().reopened(0, '1').trade(100, 10).trade(1_200, 17).ticker(2_600);
    tape.tick(9_000);
    expect(tape.gaps()).toEqual([]);
    expect(tape.closed('1s')).toEqual(['0 100/100/100/100 n=1 r1 P', '1 100/100/100/100 n=1 r1']);
    expect(missing(tape)).toBe(0);
  });

  test('with ids that are contiguous the same is a gap', () => {
    const tape = new RisingTape().reopened(0, '1', 'contiguous').trade(100, 10).trade(1_200, 17);
    tape.ticker(2_600).tick(9_000);
    expect(tape.gaps()).toMatchObject([{ firstMissingId: 11, lastMissingId: 16 }]);
    expect(missing(tape)).toBe(6);
  });

  test('a trade that is told later after all counts, once', () => {
    const tape = new RisingTape().reopened(0, '1').trade(100, 10).trade(1_200, 17).ticker(2_600);
    const before = tape.closed('1s').length;
    tape.recovered(2_700, [1_100, 12]).recovered(2_800, [1_100, 12]);
    expect(tape.closed('1s').slice(before)).toEqual(['1 100/100/100/100 n=2 r2']);
  });

  test('thousands of holes are held back for ever by none', () => {
    const tape = new RisingTape().reopened(0, '1');
    for (let id = 1; id < 5000; id++) tape.trade(id, id * 2);
    tape.ticker(9_000);
    expect(tape.gaps()).toEqual([]);
    expect(tape.closed('1s').filter((candle) => candle.includes('!'))).toEqual([]);
  });
});

describe('after a break', () => {
  const broken = () =>
    new RisingTape()
      .reopened(0, '1')
      .trade(100, 10)
      .trade(1_200, 17)
      .lost(1_500)
      .reopened(2_000, '2')
      .trade(2_100, 25)
      .ticker(3_600);

  test('a hole is a gap, and what lies in it incomplete', () => {
    const tape = broken();
    expect(tape.gaps()).toMatchObject([{ firstMissingId: 18, lastMissingId: 24, state: 'open' }]);
    expect(missing(tape)).toBe(7);
    expect(tape.closed('1s').at(-1)).toBe('2 100/100/100/100 n=1 r1 !');
  });

  test('it is filled by those that there are, and the word that there were no others', () => {
    const tape = broken().recovered(4_000, [1_800, 20]);
    tape.absent(18, 19, true).absent(21, 24, true);
    expect(tape.gaps().at(-1)).toMatchObject({ firstMissingId: 18, state: 'filled' });
    expect(missing(tape)).toBe(0);
    expect(tape.closed('1s').slice(-2).toSorted()).toEqual([
      '1 100/100/100/100 n=2 r3',
      '2 100/100/100/100 n=1 r2',
    ]);
  });

  test('the word that the exchange lacks them, too, leaves it incomplete', () => {
    const tape = broken().absent(18, 24, false);
    expect(tape.gaps().at(-1)).toMatchObject({ state: 'absent' });
    expect(tape.closed('1s').at(-1)).toBe('2 100/100/100/100 n=1 r1 !');
  });
});
