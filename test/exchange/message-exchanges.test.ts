import { describe, expect, test } from 'vitest';
import { coinbase } from '../../src/exchange/coinbase.ts';
import { kraken } from '../../src/exchange/kraken.ts';
import { eventually } from '../support/eventually.ts';
import { followExchange } from '../support/followed-exchange.ts';
import { TwinCoinbase } from '../support/twin-coinbase.ts';
import { TwinKraken } from '../support/twin-kraken.ts';
import type { TwinExchange } from '../support/twin-exchange.ts';

// What holds for every exchange that is subscribed in messages, however it finds what was missed.

const exchanges = [
  {
    exchange: coinbase,
    twinOf: (twin: TwinExchange) => new TwinCoinbase(twin),
    own: ['BTC-USD', 'ETH-USD'],
    bad: [
      '{',
      '{"type":"match","product_id":"BTC-USD","trade_id":9,"price":"NaN","size":"1","side":"buy"}',
      '{"type":"match","product_id":"BTC-USD","trade_id":9,"price":"-5","size":"1","side":"buy","time":"2026-01-01T12:00:00Z"}',
      '{"type":"match","product_id":"BTC-USD","trade_id":9,"price":"5","size":"1","side":"buy","time":"2126-01-01T12:00:00Z"}',
      '{"type":"unheard-of"}',
    ],
  },
  {
    exchange: kraken,
    twinOf: (twin: TwinExchange) => new TwinKraken(twin),
    own: ['BTC/USD', 'ETH/USD'],
    bad: [
      '{',
      '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":"5","qty":1,"trade_id":9,"timestamp":"2026-01-01T12:00:00Z"}]}',
      '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":-5,"qty":1,"trade_id":9,"timestamp":"2026-01-01T12:00:00Z"}]}',
      '{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":5,"qty":1,"trade_id":9,"timestamp":"2126-01-01T12:00:00Z"}]}',
      '{"channel":"unheard-of","type":"update","data":[]}',
    ],
  },
];

type Case = (typeof exchanges)[number];

/** The exchange followed, with its twin; a second is over at every other step. */
async function follow({ exchange, twinOf }: Case, symbols?: readonly string[]) {
  let tape: TwinCoinbase | TwinKraken | undefined;
  let prepare = (_tape: TwinCoinbase | TwinKraken) => {};
  const opened = {
    /** Prepares the twin before anybody connects. */
    with: async (act: typeof prepare) => {
      prepare = act;
      return opened.open();
    },
    open: async () => {
      const setup = await followExchange({
        exchange,
        ...(symbols !== undefined && { symbols }),
        prepare: (twin) => {
          tape = twinOf(twin);
          prepare(tape);
        },
      });
      if (tape === undefined) throw new Error('Expected a twin');
      const twin = tape;
      let steps = 0;
      const live = () => {
        if (steps++ % 2 === 0) twin.heartbeat();
      };
      return {
        ...setup,
        tape: twin,
        instrument: `${exchange.protocol}:BTCUSD`,
        /** Passes with heartbeats, and trades if any. */
        live: (durationMs: number, beforeStep: () => void = () => {}) =>
          setup.pass(durationMs, () => {
            live();
            beforeStep();
          }),
      };
    },
  };
  return opened;
}

describe.each(exchanges)('$exchange.protocol', (each) => {
  const [bitcoin = '', ether = ''] = each.own;

  test('is subscribed in messages, and open when that is confirmed', async () => {
    const opening = await follow(each, ['btcusd', ether]);
    await using setup = await opening.with((tape) => {
      tape.isAnswering = false;
    });
    const { tape, twin, feed, types, untilState } = setup;
    await eventually(() => tape.requests.length > 0);
    const asked = tape.requests.join(' ');
    expect(asked).toContain(`:${bitcoin}`);
    expect(asked).toContain(`:${ether}`);
    expect(feed.status().state).toBe('connecting');
    expect(types()).toEqual([]);
    tape.isAnswering = true;
    twin.cut();
    await untilState('waiting');
    await setup.live(2000);
    await untilState('open');
    expect(setup.events[0]).toMatchObject({
      type: 'connectionOpened',
      instruments: [`${each.exchange.protocol}:BTCUSD`, `${each.exchange.protocol}:ETHUSD`],
    });
  });

  test('that does not answer the subscription is connected anew', async () => {
    const opening = await follow(each);
    await using setup = await opening.with((tape) => {
      tape.isAnswering = false;
    });
    const { tape, feed, untilState, types } = setup;
    await eventually(() => tape.requests.length > 0);
    await setup.live(5000);
    await untilState('waiting');
    expect(feed.status().reason).toBe('The exchange does not answer the subscription');
    tape.isAnswering = true;
    await setup.live(2000);
    await untilState('open');
    expect(types()[0]).toBe('connectionOpened');
  });

  test('delivers what it knows beside a symbol that it does not know, which is shown', async () => {
    const opening = await follow(each, [bitcoin, ether]);
    await using setup = await opening.with((tape) => {
      tape.unknown.add(ether);
    });
    const { tape, feed, clock, untilState, untilEvents } = setup;
    await untilState('open');
    await setup.live(3000);
    tape.trade(clock.now());
    await untilEvents('trade');
    const troubles = [...feed.instrumentTroubles()];
    expect(troubles).toHaveLength(1);
    expect(troubles[0]?.[0]).toBe(`${each.exchange.protocol}:ETHUSD`);
    expect(troubles[0]?.[1]).toContain(ether);
  });

  test('that is cut is reconnected, and what it traded meanwhile is in its candles', async () => {
    const opening = await follow(each);
    await using setup = await opening.open();
    const { tape, twin, clock, untilState, candles } = setup;
    await untilState('open');
    const trade = () => tape.trade(clock.now());
    await setup.live(3000, trade);
    twin.cut();
    await untilState('waiting');
    trade();
    await clock.advance(200);
    trade();
    await setup.live(4000, trade);
    await untilState('open');
    await setup.live(4000, trade);
    await eventually(() => !setup.isBusy());
    await setup.live(2000);
    const seconds = candles('1s');
    expect(seconds.length).toBeGreaterThan(8);
    const counted = seconds.reduce((sum, { tradeCount }) => sum + tradeCount, 0);
    const last = seconds.at(-1)?.closeTime ?? 0;
    expect(last).toBeGreaterThan(clock.now() - 3_000_000);
    expect(counted).toBe(setup.market.lastTrade(setup.instrument)?.id);
    expect(seconds.filter(({ isComplete }) => !isComplete)).toEqual([]);
    expect(setup.market.statuses(clock.now())[0]).toMatchObject({ tradesMissing: 0 });
  });

  test('that says nothing at all for 5 s is taken for dead', async () => {
    const opening = await follow(each);
    await using setup = await opening.open();
    await setup.untilState('open');
    await setup.live(60_000);
    expect(setup.twin.upgrades).toHaveLength(1);
    // Without what else the test sends to know when all has been received.
    await setup.clock.advance(4500, 500);
    expect(setup.feed.status().state).toBe('open');
    await setup.clock.advance(1000, 500);
    await eventually(() => setup.events.some(({ type }) => type === 'connectionLost'));
    expect(setup.events.find(({ type }) => type === 'connectionLost')).toMatchObject({
      reason: 'Nothing was received for 5 s',
    });
  });

  test('whose trades stop while the rest goes on is asked over REST, and subscribed anew', async () => {
    const opening = await follow(each);
    await using setup = await opening.open();
    const { tape, clock, untilState } = setup;
    await untilState('open');
    await setup.live(60_000, () => tape.trade(clock.now()));
    const asked = tape.requests.length;
    const anew = () => tape.requests.slice(asked);
    await setup.live(20_000, () => {
      tape.trade(clock.now(), anew().length > 0 ? 1 : 0);
      tape.ticker(asked);
    });
    const verbs = anew().map((request) => request.split(' ')[0]);
    expect(new Set(verbs)).toEqual(new Set(['unsubscribe', 'subscribe']));
    await eventually(() => setup.feed.instrumentTroubles().size === 0);
    expect(setup.twin.upgrades).toHaveLength(1);
  });

  test('that tells trades twice has them counted once', async () => {
    const opening = await follow(each);
    await using setup = await opening.open();
    const { tape, clock, untilState, untilEvents, market } = setup;
    await untilState('open');
    for (let count = 0; count < 10; count++) tape.trade(clock.now(), 3);
    await untilEvents('trade', 30);
    await setup.live(3000);
    expect(setup.candles('1s').reduce((sum, { tradeCount }) => sum + tradeCount, 0)).toBe(10);
    expect(market.counters.duplicateTrades).toBeGreaterThanOrEqual(20);
  });

  test('that lies has it counted by cause, and is followed on', async () => {
    const opening = await follow(each);
    await using setup = await opening.open();
    const { tape, twin, clock, feed, untilState, untilEvents, candles } = setup;
    await untilState('open');
    tape.trade(clock.now());
    for (const frame of each.bad) twin.send(frame);
    tape.trade(clock.now());
    await untilEvents('trade', 2);
    await setup.live(3000);
    const { badFrames } = feed.status().counters;
    expect(badFrames).toEqual({ unreadable: 1, binary: 0, field: 2, time: 1 });
    expect(feed.status().counters.ignoredFrames).toBeGreaterThanOrEqual(1);
    const traded = candles('1s').filter(({ tradeCount }) => tradeCount > 0);
    expect(traded).toMatchObject([{ tradeCount: 2, isComplete: true }]);
    expect(feed.status().state).toBe('open');
  });
});
