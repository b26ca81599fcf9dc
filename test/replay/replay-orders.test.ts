import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { OrderArguments } from '../../src/replay/order-arguments.ts';
import { orderFormats } from '../../src/replay/order-output.ts';
import { replayCaptures } from '../../src/replay/replay-captures.ts';
import { describeReplay } from '../../src/replay/replay-command.ts';
import { runToEnd } from '../support/run-program.ts';
import { captureFile, stamped, tickerFrame, tradeFrame } from './capture-builder.ts';

type Level = readonly [price: string, quantity: string];

/** A line for each: seconds after midnight, and the bid that was shown then. */
function bids(...shown: readonly (readonly [at: number, bid: Level])[]): string {
  return captureFile(
    shown.map(([at, bid], index) => stamped(at, tickerFrame({ updateId: index + 1, bid }))),
  );
}

/** The orders in the end, as their lines of JSON tell. */
async function ordersOf(paths: string | readonly string[], ...flags: readonly string[]) {
  const wanted = new OrderArguments();
  for (const [index, text] of flags.entries()) {
    const flag = flags[index - 1];
    if (flag === '--order') wanted.addOrder(text);
    if (flag === '--at') wanted.addAt(text);
    if (flag === '--tif') wanted.addTimeInForce(text);
    if (flag === '--timeout') wanted.addTimeout(text);
  }
  const { orders } = await replayCaptures([paths].flat(), {
    exchange: 'binance',
    timeUnit: 'millisecond',
    timeframes: [],
    orders: wanted.all(),
    onProgress: () => {},
  });
  return [...orderFormats.json(orders)].map((line) => JSON.parse(line));
}

/** "5 @ 42" of each split. */
function splitsOf(order: { splits: { quantity: string; price: string }[] }): string[] {
  return order.splits.map(({ quantity, price }) => `${quantity} @ ${price}`);
}

describe('the worked example', () => {
  const lines = [
    stamped(1, '{"u":400900217,"s":"BNBUSDT","b":"40.0","B":"10.0","a":"41.0","A":"10"}'),
    stamped(2, '{"u":400900223,"s":"BNBUSDT","b":"42.0","B":"5.0","a":"43.0","A":"10"}'),
    stamped(3.25, '{"u":400900235,"s":"BNBUSDT","b":"42.5","B":"30.0","a":"43.0","A":"10"}'),
  ];
  const argsOf = () => [captureFile(lines), '--order', 'sell 25 BNBUSDT @ 42'];

  test('as JSON is the order as the service shows it', async () => {
    const { stdout } = await runToEnd('replay', [...argsOf(), '--format', 'json']);
    expect(JSON.parse(stdout)).toEqual({
      orderId: '1',
      account: 'default',
      clientOrderId: '',
      instrument: 'binance:BNBUSDT',
      side: 'ORDER_SIDE_SELL',
      quantity: '25',
      limitPrice: '42',
      timeInForce: 'TIME_IN_FORCE_GTC',
      status: 'ORDER_STATUS_FILLED',
      cancelReason: 'CANCEL_REASON_UNSPECIFIED',
      filledQuantity: '25',
      remainingQuantity: '0',
      filledNotional: '1060',
      averagePrice: '42.4',
      waitReason: 'WAIT_REASON_UNSPECIFIED',
      waitingFor: '',
      splits: [
        {
          version: 2,
          price: '42',
          quantity: '5',
          updateId: '400900223',
          time: '2026-01-01T00:00:02Z',
          displayedQuantity: '5',
          consumedAfter: '5',
        },
        {
          version: 3,
          price: '42.5',
          quantity: '20',
          updateId: '400900235',
          time: '2026-01-01T00:00:03.250Z',
          displayedQuantity: '30',
          consumedAfter: '20',
        },
      ],
      splitCount: 2,
      version: 3,
      acceptedTime: '2026-01-01T00:00:01Z',
      updatedTime: '2026-01-01T00:00:03.250Z',
    });
  });

  test('as CSV is a line for each split', async () => {
    const { stdout } = await runToEnd('replay', argsOf());
    const order = '1,binance,BNBUSDT,sell,25,42,GTC,2026-01-01T00:00:01Z,filled,25,0,1060,42.4';
    expect(stdout).toBe(
      [
        'order_id,exchange,symbol,side,quantity,limit_price,time_in_force,accepted_time,status,filled_quantity,remaining_quantity,filled_notional,average_price,split_time,split_price,split_quantity,update_id,displayed_quantity,consumed_after',
        `${order},2026-01-01T00:00:02Z,42,5,400900223,5,5`,
        `${order},2026-01-01T00:00:03.25Z,42.5,20,400900235,30,20`,
        '',
      ].join('\n'),
    );
  });

  test('as a table is a summary for people', async () => {
    const { stdout, stderr } = await runToEnd('replay', [...argsOf(), '-f', 'table']);
    expect(stdout).toContain('sell 25 binance:BNBUSDT at 42 or better (gtc)');
    expect(stdout).toContain('filled: 25 of 25 at 42.4 on average');
    expect(stdout).toContain('2 splits, 25 for 1060 in all');
    expect(stderr).toBe('3 lines: 0 trades, 3 book tickers\n');
  });

  test('gives the same bytes every time, also as a command of tradewind', async () => {
    const args = argsOf();
    const [once, again, command] = await Promise.all([
      runToEnd('replay', args),
      runToEnd('replay', args),
      runToEnd('cli', ['replay', ...args]),
    ]);
    expect([again, command]).toEqual([once, once]);
  });
});

describe('an order', () => {
  test('of a time is submitted then, and sees what was shown last', async () => {
    const path = bids([1, ['100', '1']], [2, ['101', '1']], [3, ['102', '1']]);
    const [order] = await ordersOf(
      path,
      '--order',
      'sell 9 BTCUSDT @ 100',
      '--at',
      '2026-01-01T00:00:02.5Z',
    );
    expect(order).toMatchObject({ acceptedTime: '2026-01-01T00:00:02.500Z' });
    expect(splitsOf(order)).toEqual(['1 @ 101', '1 @ 102']);
  });

  test('of the time of a line is submitted before it', async () => {
    const path = bids([1, ['100', '1']], [2, ['101', '1']]);
    const at = ['--at', '2026-01-01T00:00:02Z'];
    const [order] = await ordersOf(path, '--order', 'sell 1 BTCUSDT @ 1', ...at);
    expect(splitsOf(order)).toEqual(['1 @ 100']);
  });

  test('of a time before the first line is submitted with it', async () => {
    const path = bids([1, ['100', '1']]);
    const at = ['--at', '2025-01-01T00:00:00Z'];
    const [order] = await ordersOf(path, '--order', 'sell 1 BTCUSDT @ 1', ...at);
    expect(order).toMatchObject({ acceptedTime: '2026-01-01T00:00:01Z', filledQuantity: '1' });
  });

  test('shares what is shown with the others, the better limit first', async () => {
    const path = bids([1, ['100', '5']]);
    const orders = await ordersOf(
      path,
      '--order',
      'sell 4 BTCUSDT @ 99',
      '--order',
      'SELL 3 binance:BTCUSDT@98',
    );
    expect(orders.map(splitsOf)).toEqual([['2 @ 100'], ['3 @ 100']]);
    expect(orders[0]).toMatchObject({
      status: 'ORDER_STATUS_PARTIALLY_FILLED',
      waitReason: 'WAIT_REASON_LIQUIDITY_USED',
      waitingFor: 'All of the 5 displayed at 100 is used',
    });
  });

  test('that is good till a time expires by the time of the lines', async () => {
    const path = bids([1, ['90', '1']], [31, ['100', '1']]);
    const [order] = await ordersOf(path, '--order', 'sell 1 BTCUSDT @ 100', '--timeout', '30s');
    expect(order).toMatchObject({
      timeInForce: 'TIME_IN_FORCE_GTD',
      status: 'ORDER_STATUS_EXPIRED',
      expireTime: '2026-01-01T00:00:31Z',
      updatedTime: '2026-01-01T00:00:31Z',
      splits: [],
    });
  });

  test.each([
    ['ioc', 'CANCEL_REASON_NOT_FILLED_AT_ONCE', ['1 @ 100']],
    ['fok', 'CANCEL_REASON_NOT_COVERED', []],
  ])('that may not wait is decided at once: %s', async (tif, cancelReason, splits) => {
    const path = bids([1, ['100', '1']], [2, ['101', '9']]);
    const at = ['--at', '2026-01-01T00:00:01.5Z'];
    const [order] = await ordersOf(path, '--order', 'sell 2 BTCUSDT @ 100', ...at, '--tif', tif);
    expect(order).toMatchObject({ cancelReason, status: 'ORDER_STATUS_CANCELED' });
    expect(splitsOf(order)).toEqual(splits);
  });

  test('that may not wait finds no market before the first line', async () => {
    const path = bids([1, ['100', '1']]);
    const [order] = await ordersOf(path, '--tif', 'ioc', '--order', 'sell 2 BTCUSDT @ 100');
    expect(order).toMatchObject({ cancelReason: 'CANCEL_REASON_NO_MARKET' });
  });

  test('is filled by an old ticker when other lines show that none was missed', async () => {
    const ticker = stamped(1, tickerFrame({ updateId: 1, bid: ['100', '1'] }));
    const trade = (id: number, at: number) => stamped(at, tradeFrame({ id, at }));
    const args = ['--order', 'sell 1 BTCUSDT @ 100', '--at', '2026-01-01T00:00:20Z'];
    const alive = captureFile([ticker, trade(1, 18), trade(2, 30)]);
    const [filled] = await ordersOf(alive, ...args);
    expect(filled.splits).toMatchObject([{ updateId: '1', time: '2026-01-01T00:00:18Z' }]);
    const silent = captureFile([ticker, trade(1, 2), trade(2, 30)]);
    const [waiting] = await ordersOf(silent, ...args);
    expect(waiting).toMatchObject({ splits: [], waitReason: 'WAIT_REASON_STALE_TICKER' });
  });

  test('has the time of its own files, also where another has been at that time already', async () => {
    const eth = (at: number, bid: string) =>
      stamped(at, tickerFrame({ updateId: at, symbol: 'ETHUSDT', bid: [bid, '1'] }));
    const args = ['--order', 'sell 1 ETHUSDT @ 1', '--at', '2026-01-01T00:00:15Z'];
    const other = bids([1, ['100', '1']], [60, ['100', '2']]);
    const own = captureFile([eth(10, '10'), eth(14, '14'), eth(20, '20')]);
    const [order] = await ordersOf([other, own], ...args);
    expect(splitsOf(order)).toEqual(['1 @ 14']);
  });

  test('has the terms that follow it, else those before the first', async () => {
    const path = bids([1, ['100', '9']]);
    const first = ['--tif', 'ioc', '--order', 'sell 1 BTCUSDT @ 500'];
    const second = ['--order', 'sell 2 BTCUSDT @ 500', '--tif', 'gtc'];
    const orders = await ordersOf(path, ...first, ...second);
    expect(orders).toMatchObject([
      { quantity: '1', timeInForce: 'TIME_IN_FORCE_IOC' },
      { quantity: '2', timeInForce: 'TIME_IN_FORCE_GTC' },
    ]);
  });
});

describe('what it refuses', () => {
  test.each([
    ['words of something else', ['--order', 'sell everything'], 'Expected an order like'],
    ['another side', ['--order', 'short 5 BTCUSDT @ 1'], 'buy or sell, not "short"'],
    ['a quantity of nothing', ['--order', 'sell 0 BTCUSDT @ 1'], 'a quantity above 0'],
    ['a negative one', ['--order', 'sell -1 BTCUSDT @ 1'], 'not "-1"'],
    ['an exponent', ['--order', 'sell 1e3 BTCUSDT @ 1'], 'not "1e3"'],
    ['no number', ['--order', 'sell NaN BTCUSDT @ 1'], 'not "NaN"'],
    ['40 digits', ['--order', `sell ${'9'.repeat(40)} BTCUSDT @ 1`], 'a quantity above 0'],
    ['digits of another script', ['--order', 'sell ５ BTCUSDT @ 1'], 'not "５"'],
    ['a comma', ['--order', 'sell 1,5 BTCUSDT @ 1'], 'not "1,5"'],
    ['19 decimals', ['--order', `sell 1 BTCUSDT @ 0.${'1'.repeat(19)}`], 'a price above 0'],
    ['no price', ['--order', 'sell 1 BTCUSDT @'], 'Expected an order like'],
    ['another symbol', ['--order', 'sell 1 X @ 1'], 'got binance:X; in them: binance:BTCUSDT'],
    ['a time of the clock', ['--order', 'sell 1 BTCUSDT @ 1', '--at', '12:00'], 'a time like'],
    [
      'a time after the end',
      ['--order', 'sell 1 BTCUSDT @ 1', '--at', '2027-01-01T00:00:00Z'],
      'Expected lines from 2027-01-01T00:00:00Z on, for order 1: the files with BTCUSDT end before',
    ],
    ['another time in force', ['--order', 'sell 1 BTCUSDT @ 1', '--tif', 'day'], 'gtc, gtd'],
    ['no time to wait', ['--order', 'sell 1 BTCUSDT @ 1', '--tif', 'gtd'], 'a --timeout of'],
    [
      'a time to wait of one that may not',
      ['--order', 'sell 1 BTCUSDT @ 1', '--tif', 'ioc', '--timeout', '5s'],
      'no --timeout of an order that does not expire (ioc)',
    ],
    ['terms of no order', ['--at', '2026-01-01T00:00:00Z'], 'expected an --order'],
    ['candles, too', ['--order', 'sell 1 BTCUSDT @ 1', '-t', '1m'], 'cannot be used with'],
  ])('%s', async (_, args, message) => {
    const command = describeReplay(new Command('replay')).exitOverride();
    command.configureOutput({ writeErr: () => {} });
    const path = bids([1, ['100', '1']]);
    await expect(command.parseAsync([path, ...args], { from: 'user' })).rejects.toThrow(message);
  });
});

describe('the recorded market', () => {
  const files = ['spot_btcusdt_20240808.gz', 'spot_btcusdt_20240809.gz'].map((name) =>
    fileURLToPath(new URL(`../../../shared/data/${name}`, import.meta.url)),
  );
  const isThere = files.every((file) => existsSync(file));
  if (!isThere) console.warn(`SKIPPED, the recorded market data is not there: ${files.join(', ')}`);

  test.skipIf(!isThere)('every bid is used once, and no unchanged one twice', async () => {
    // What is shown, by the lines themselves: each change of the bid, and how many lines repeat it.
    const changes: string[] = [];
    let [tickers, before] = [0, ''];
    for (const file of files) {
      for (const line of gunzipSync(readFileSync(file)).toString().split('\n')) {
        const ticker = /"u":(\d+),"s":"BTCUSDT","b":"([\d.]+)","B":"([\d.]+)"/u.exec(line);
        if (ticker === null) continue;
        const [, updateId, price, quantity] = ticker;
        tickers++;
        if (before === `${price} ${quantity}`) continue;
        before = `${price} ${quantity}`;
        changes.push(`${updateId}: ${Number(quantity)} @ ${Number(price)}`);
      }
    }
    expect(tickers).toBe(73_174);
    expect(changes.length / tickers).toBeCloseTo(0.51, 2);

    const args = [...files, '--order', 'sell 999999 BTCUSDT @ 0.01', '--format', 'json'];
    const { splits } = JSON.parse((await runToEnd('replay', args)).stdout);
    const used = splits.map(
      (split: { updateId: string; quantity: string; price: string }) =>
        `${split.updateId}: ${split.quantity} @ ${split.price}`,
    );
    expect(used).toEqual(changes);
  });
});
