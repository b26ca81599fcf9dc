import { describe, expect, test } from 'vitest';
import { candleToCsv } from '../../src/cli/candle-record.ts';
import type { Timeframe } from '../../src/domain/timeframe.ts';
import { replayCaptures } from '../../src/replay/replay-captures.ts';
import { aggTradeFrame, captureFile, stamped, tradeFrame } from './capture-builder.ts';

async function replay(files: readonly (readonly string[])[], timeframes: Timeframe[] = ['1m']) {
  const paths = files.map((lines) => captureFile(lines));
  const { candles, summary } = await replayCaptures(paths, {
    exchange: 'binance',
    timeUnit: 'millisecond',
    timeframes,
    onProgress: () => {},
  });
  return { candles: [...candles.sorted()], summary: summary.toString() };
}

const [first, second, third] = [
  tradeFrame({ id: 1, at: 10, price: '100', quantity: '0.5' }),
  tradeFrame({ id: 2, at: 30, price: '103.5', quantity: '0.25' }),
  tradeFrame({ id: 3, at: 61, price: '99', quantity: '1' }),
];
const candlesOfThem = [
  'binance,BTCUSDT,1m,2026-01-01T00:00:00Z,100,103.5,100,103.5,0.75,75.875,2,',
  'binance,BTCUSDT,1m,2026-01-01T00:01:00Z,99,99,99,99,1,99,1,',
];

describe('lines', () => {
  test.each([
    ['with receive times', [stamped(10, first), stamped(30, second), stamped(61, third)]],
    ['without', [first, second, third]],
    ['with Windows line ends', [`${first}\r`, `${second}\r`, `${third}\r`]],
    ['some with, some without', [stamped(10, first), second, stamped(61, third)]],
    ['with spaces in the JSON', [first, second, third].map((line) => line.replaceAll('":', '": '))],
    [
      'whose receiver was behind the exchange',
      [stamped(8.7, first), stamped(28.7, second), stamped(59.8, third)],
    ],
  ])('%s make the same candles', async (_, lines) => {
    const { candles } = await replay([lines]);
    expect(candles.map(candleToCsv).map((line) => line.slice(0, candlesOfThem[0]?.length))).toEqual(
      [candlesOfThem[0], expect.stringContaining(candlesOfThem[1] ?? '')],
    );
  });

  test('that are not trades are counted, and hurt nothing', async () => {
    const { candles, summary } = await replay([
      [
        stamped(9, '{"lastUpdateId":1,"bids":[["100","1"]],"asks":[]}'),
        stamped(10, first),
        stamped(11, '{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT"}}'),
        stamped(12, '{"stream":"btcusdt@trade","data":{"e":"trade","E":17'),
        stamped(
          12,
          '{"e":"trade","s":"BTCUSDT","t":9,"p":"NaN","q":"1","T":1767225612000,"m":true}',
        ),
        'not a line of a capture',
        `12 seconds ${second}`,
        '',
        stamped(30, second),
      ],
    ]);
    expect(candles).toMatchObject([{ tradeCount: 2 }]);
    expect(summary).toBe(
      '8 lines: 2 trades, 0 book tickers; not used: 1 of no known kind, 1 depthUpdate, 4 broken',
    );
  });

  test('before the first time cannot be placed, and are counted', async () => {
    const ticker = '{"u":1,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}';
    const { summary } = await replay([[ticker, first, ticker]]);
    expect(summary).toBe('3 lines: 1 trades, 1 book tickers; not used: 1 before the first time');
  });
});

describe('flags', () => {
  test('the first and the last candle are partial, the last one is open', async () => {
    const { candles } = await replay([[1, 61, 125, 185].map((at, id) => tradeFrame({ id, at }))]);
    expect(candles.map(({ isPartial, isClosed }) => [isPartial, isClosed])).toEqual([
      [true, true],
      [false, true],
      [false, true],
      [true, false],
    ]);
  });

  test('a minute without a trade is flat, a minute with missing ids is not there', async () => {
    const quiet = await replay([[tradeFrame({ id: 1, at: 1 }), tradeFrame({ id: 2, at: 125 })]]);
    expect(quiet.candles.map(({ tradeCount, isComplete }) => [tradeCount, isComplete])).toEqual([
      [1, true],
      [0, true],
      [1, true],
    ]);
    const broken = await replay([[tradeFrame({ id: 1, at: 1 }), tradeFrame({ id: 3, at: 125 })]]);
    expect(broken.candles.map(({ tradeCount, isComplete }) => [tradeCount, isComplete])).toEqual([
      [1, false],
      [1, false],
    ]);
  });

  test('a late trade makes a higher revision of its closed candle', async () => {
    const { candles } = await replay([
      [
        stamped(1, tradeFrame({ id: 1, at: 1, price: '100' })),
        stamped(70, tradeFrame({ id: 3, at: 70 })),
        stamped(71, tradeFrame({ id: 2, at: 2, price: '105' })),
      ],
    ]);
    expect(candles[0]).toMatchObject({ tradeCount: 2, isComplete: true, isClosed: true });
    expect(candles[0]?.revision).toBeGreaterThan(1);
  });
});

describe('single and aggregated trades', () => {
  test('where a symbol has both, the single ones win, wherever they are', async () => {
    const { candles, summary } = await replay([
      [
        aggTradeFrame({ id: 1, at: 5, price: '50' }),
        aggTradeFrame({ id: 1, at: 6, symbol: 'ETHUSDT', price: '7' }),
      ],
      [tradeFrame({ id: 1, at: 10, price: '100' })],
    ]);
    expect(
      candles.map(({ instrument, open, tradeCount }) => [instrument, open, tradeCount]),
    ).toEqual([
      ['binance:BTCUSDT', 100n * 10n ** 18n, 1],
      ['binance:ETHUSDT', 7n * 10n ** 18n, 1],
    ]);
    expect(summary).toContain('1 aggTrade beside single trades');
  });

  test('a broken single trade does not put the aggregated ones aside', async () => {
    const { candles } = await replay([
      [aggTradeFrame({ id: 1, at: 5 }), tradeFrame({ id: 1, at: 6, price: 'x' })],
    ]);
    expect(candles).toMatchObject([{ tradeCount: 1 }]);
  });
});

describe('several files', () => {
  test('that follow on each other join without a seam', async () => {
    const frames = [1, 30, 59, 62, 90, 125].map((at, id) => stamped(at, tradeFrame({ id, at })));
    const whole = await replay([frames]);
    const cut = await replay([frames.slice(0, 2), frames.slice(2)]);
    expect(cut.candles).toEqual(whole.candles);
  });

  test('of the same time and other symbols do not disturb each other', async () => {
    const btc = [1, 61, 125, 190].map((at, id) => stamped(at, tradeFrame({ id, at })));
    const eth = [2, 62, 100].map((at, id) =>
      stamped(at, tradeFrame({ id, at, symbol: 'ETHUSDT' })),
    );
    const together = await replay([btc, eth]);
    const apart = [await replay([btc]), await replay([eth])];
    expect(together.candles).toEqual(apart.flatMap(({ candles }) => candles));
    expect(together.candles.at(-1)).toMatchObject({ isClosed: false, isPartial: true });
  });
});

test('candles come by instrument, timeframe and time, symbols in any script', async () => {
  const symbols = ['币安人生USDT', 'ETHUSDT', 'BTCUSDT'];
  const frames = symbols.flatMap((symbol) =>
    [1, 61].map((at, id) => tradeFrame({ id, at, symbol })),
  );
  const { candles } = await replay([frames], ['1h', '1m']);
  expect(candles.map(({ instrument, timeframe }) => `${instrument} ${timeframe}`)).toEqual(
    ['BTCUSDT', 'ETHUSDT', '币安人生USDT'].flatMap((symbol) =>
      ['1m', '1m', '1h'].map((timeframe) => `binance:${symbol} ${timeframe}`),
    ),
  );
});
