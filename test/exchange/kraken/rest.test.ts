import { expect, test } from 'vitest';
import { parseDecimal } from '../../../src/base/decimal.ts';
import { kraken } from '../../../src/exchange/kraken.ts';
import { advanceUntil } from '../../support/advance-until.ts';
import { noon } from '../../support/builders.ts';
import { TwinKraken } from '../../support/twin-kraken.ts';
import { openTwinFeed } from '../../support/twin-feed.ts';
import type { TwinAnswer } from '../../support/twin-exchange.ts';

const { signal } = new AbortController();

/** The REST side of a feed that follows nothing; `answer` stands before what the twin says. */
async function openRest(answer?: TwinAnswer) {
  let tape: TwinKraken | undefined;
  const setup = await openTwinFeed({
    exchange: kraken,
    exchangeName: 'kraken',
    symbols: [],
    prepare: (twin) => {
      tape = new TwinKraken(twin);
      if (answer !== undefined) twin.answer = () => answer;
    },
  });
  if (tape === undefined) throw new Error('Expected a twin');
  /** Asks, and lets the time pass that the exchange's limits demand. */
  const ask = <T>(question: () => Promise<T>) => advanceUntil(setup.clock, question());
  return { ...setup, tape, ask };
}

const rowsOf = (...rows: readonly string[]): TwinAnswer => ({
  body: `{"error":[],"result":{"XXBTZUSD":[${rows.join(',')}],"last":"1"}}`,
});

test('trades are asked for by time, both ends included, and none is lost to the nanosecond', async () => {
  await using setup = await openRest();
  const { tape, feed, ask } = setup;
  for (let id = 0; id < 10; id++) tape.trade(noon - 100 + id);
  const range = { fromTime: noon - 98, toTime: noon - 95 };
  const trades = await ask(() => feed.rest.trades('BTCUSD', range, signal));
  expect(trades.map(({ exchangeTime }) => exchangeTime)).toEqual(
    [2, 3, 4, 5].map((at) => noon - 100 + at),
  );
  expect(setup.twin.questions[0]).toBe(
    `/0/public/Trades?pair=XBTUSD&since=${noon - 99}999&count=1000`,
  );
});

test('trades by id are not asked for', async () => {
  await using setup = await openRest();
  await expect(setup.feed.rest.trades('BTCUSD', { fromId: 1 }, signal)).rejects.toMatchObject({
    kind: 'refused',
  });
  expect(setup.twin.questions).toEqual([]);
});

test('a row is read to the last digit, its time to the microsecond', async () => {
  await using setup = await openRest(
    rowsOf('["30243.40000","0.345076740000000001",1688669597.8277369,"s","m","",61044952]'),
  );
  const answer = await setup.ask(() => setup.feed.rest.lastTrade('BTCUSD', signal));
  expect(answer?.trade).toMatchObject({
    instrument: 'kraken:BTCUSD',
    id: 61044952,
    price: parseDecimal('30243.4'),
    quantity: parseDecimal('0.345076740000000001'),
    takerSide: 'sell',
    exchangeTime: 1688669597_827736,
    eventTime: undefined,
  });
});

test.each<[string, TwinAnswer, string]>([
  ['too many questions', { body: { error: ['EGeneral:Too many requests'] } }, 'failed'],
  ['trouble of its own', { body: { error: ['EService:Unavailable'], result: null } }, 'failed'],
  ['a pair that it does not know', { body: { error: ['EQuery:Unknown asset pair'] } }, 'refused'],
  ['no list of errors', { body: { result: {} } }, 'failed'],
  ['no result', { body: { error: [] } }, 'failed'],
  ['a list', { body: [] }, 'failed'],
  ['a number', { body: '5' }, 'failed'],
  ['a row that is none', rowsOf('5'), 'failed'],
  ['a negative price', rowsOf('["-1","1",1688669597.8,"b","m","",1]'), 'failed'],
  ['a time of tomorrow', rowsOf(`["1","1",${noon / 1e6 + 86_400},"b","m","",1]`), 'failed'],
  ['a time as text', rowsOf('["1","1","1688669597","b","m","",1]'), 'failed'],
  ['a side that is none', rowsOf('["1","1",1688669597.8,"buy","m","",1]'), 'failed'],
  ['no id', rowsOf('["1","1",1688669597.8,"b","m",""]'), 'failed'],
])('%s is a question that was not answered', async (_name, answer, kind) => {
  await using setup = await openRest(answer);
  await expect(setup.ask(() => setup.feed.rest.lastTrade('BTCUSD', signal))).rejects.toMatchObject({
    name: 'RestError',
    kind,
  });
});

test('what it lists tells increments, and why something does not trade, also beside what is gone', async () => {
  await using setup = await openRest();
  const { tape, feed, ask } = setup;
  const pair = { tick_size: '0.1', lot_decimals: 8, costmin: '0.5' };
  tape.pairs = {
    XBTUSD: { ...pair, status: 'online' },
    ETHUSD: { status: 'cancel_only', lot_decimals: 0 },
    LTCUSD: { status: 'delisted', lot_decimals: '8' },
    XRPUSD: { status: 'post_only' },
  };
  const symbols = ['BTCUSD', 'ETHUSD', 'GONEUSD', 'LTCUSD', 'XRPUSD'];
  const listed = await ask(() => feed.rest.listedInstruments(symbols, signal));
  expect([...listed.keys()].toSorted()).toEqual(['BTCUSD', 'ETHUSD', 'LTCUSD', 'XRPUSD']);
  expect(listed.get('BTCUSD')).toEqual({
    limits: {
      tickSize: parseDecimal('0.1'),
      lotSize: parseDecimal('0.00000001'),
      minimumNotional: parseDecimal('0.5'),
    },
    trouble: undefined,
  });
  expect(listed.get('ETHUSD')).toMatchObject({
    limits: { lotSize: parseDecimal('1') },
    trouble: 'The exchange takes only cancellations for it (cancel_only)',
  });
  expect(listed.get('LTCUSD')).toMatchObject({
    limits: { lotSize: undefined },
    trouble: 'It does not trade (delisted)',
  });
  expect(listed.get('XRPUSD')?.trouble).toBeUndefined();
});

test('no more than one question a second is asked', async () => {
  await using setup = await openRest();
  const { feed, twin, clock } = setup;
  const questions = Array.from({ length: 5 }, () => feed.rest.lastTrade('BTCUSD', signal));
  const start = clock.monotonicMs();
  await advanceUntil(clock, Promise.all(questions), () => {
    expect(twin.questions.length).toBeLessThanOrEqual(1 + (clock.monotonicMs() - start) / 1000);
  });
  expect(clock.monotonicMs() - start).toBeGreaterThanOrEqual(4000);
});
