import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { create } from '@bufbuild/protobuf';
import { LatestPriceSchema } from '../../gen/tradewind/market/v1/price_service_pb.ts';
import { PriceBoard } from '../../src/cli/price/price-board.ts';
import { runToEnd } from '../support/run-program.ts';
import { at } from '../support/market-tape.ts';
import { openServedPrices } from '../support/served-prices.ts';
import type { ServedPrices } from '../support/served-prices.ts';

const [binance, coinbase] = ['binance:BTCUSDT', 'coinbase:BTCUSDT'];

/** Two exchanges, of which one traded at 10 and 20, and the other at 40. */
async function openTwoExchanges(): Promise<ServedPrices> {
  const served = await openServedPrices({ instruments: [binance, coinbase] });
  const { tape, clock } = served;
  tape.opened(0, [binance], '1').opened(0, [coinbase], '2');
  tape.trade(100, 1, '10').trade(200, 2, '20').trade(300, 1, '40', { instrument: coinbase });
  clock.moveTo(at(400));
  return served;
}

test('price tells the latest price and what it was over a period', async () => {
  await using served = await openTwoExchanges();
  const args = ['price', 'BTCUSDT', '--period', '1s', '--server', served.url];
  const { exitCode, stdout } = await runToEnd('cli', args);
  expect(exitCode).toBe(0);
  expect(stdout.replaceAll(/ +/gu, ' ').split('\n')).toEqual([
    'BTCUSDT 40 on coinbase, 2026-01-01T12:00:00.3Z',
    '2026-01-01T12:00:00Z to 2026-01-01T12:00:01Z, binance, coinbase',
    ' first 10',
    ' last 40',
    ' highest 40',
    ' lowest 10',
    ' average 23.333333333333333333',
    ' weighted by volume 23.333333333333333333',
    ' change 30 (300.00 %)',
    ' trades 3',
    ' volume 3',
    ' in quote 70',
    ' binance, coinbase: not all of it was observed',
    '',
  ]);
});

test('price of one exchange as JSON has the contract’s names', async () => {
  await using served = await openTwoExchanges();
  const args = ['price', 'btcusdt', '--exchange', 'binance', '-p', '1s', '--json'];
  const { stdout } = await runToEnd('cli', [...args, '--server', served.url]);
  expect(JSON.parse(stdout)).toMatchObject({
    exchange: 'binance',
    symbol: 'BTCUSDT',
    price: '20',
    average: '15',
    trade_count: 2,
    window_end: '2026-01-01T12:00:01Z',
  });
});

test('prices lists every symbol on every exchange', async () => {
  await using served = await openTwoExchanges();
  const { stdout } = await runToEnd('cli', ['prices', '-p', '1s', '--server', served.url]);
  const rows = stdout.split('\n').map((line) => line.split(/ +/u).slice(0, 6).join(' '));
  expect(rows.slice(0, 3)).toEqual([
    'SYMBOL EXCHANGE LAST CHANGE HIGHEST LOWEST',
    'BTCUSDT binance 20 100.00 % 20',
    'BTCUSDT coinbase 40 0.00 % 40',
  ]);
});

test('what is not known is a dash, and why is said also where nothing is missing', async () => {
  await using served = await openServedPrices({ instruments: [binance] });
  const { tape, clock, url } = served;
  tape.opened(0, [binance]).trade(100, 1, '10', { quantity: '0' });
  tape.trade(1_100, 2, '20', { quantity: '0' });
  clock.moveTo(at(1_200));
  const why = 'binance: volumes are not known, for prices come without quantities';
  const one = await runToEnd('cli', ['price', 'BTCUSDT', '-p', '1s', '--server', url]);
  const lines = one.stdout.replaceAll(/ +/gu, ' ').trimEnd().split('\n');
  expect(lines.slice(-4)).toEqual([' trades 1', ' volume -', ' in quote -', ` ${why}`]);
  const all = await runToEnd('cli', ['prices', '-p', '1s', '--server', url]);
  expect(all.stdout).toMatch(new RegExp(`20 +- +1 +${why}`, 'u'));
});

test.each([
  [['price', 'NOPE'], 'refused: symbol: "NOPE" is not known; known are BTCUSDT', 1],
  [['price', 'BTCUSDT', '--exchange', 'nyse'], 'refused: exchange: "nyse" is not known', 1],
  [['price', 'BTCUSDT', '--period', '1500ms'], 'refused: period: expected whole seconds', 1],
  [['price', 'BTCUSDT', '--period', 'soon'], 'Expected a duration like 30s', 2],
  [['prices', '--watch', '--exchange', 'nyse'], 'refused: exchange: "nyse" is not known', 1],
])('%j is refused in the server’s words', async (args, message, code) => {
  await using served = await openTwoExchanges();
  const { exitCode, stderr } = await runToEnd('cli', [...args, '--server', served.url]);
  expect(stderr).toContain(message);
  expect(exitCode).toBe(code);
});

test('prices --watch prints a line for each change where there is no terminal', async () => {
  await using served = await openTwoExchanges();
  const path = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
  const child = spawn(process.execPath, [path, 'prices', '--watch', '--server', served.url], {
    cwd: '/',
    env: { PATH: process.env['PATH'] },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => String((await lines.next()).value);
  try {
    expect([await next(), await next()]).toEqual([
      '2026-01-01T12:00:00.2Z binance BTCUSDT 20',
      '2026-01-01T12:00:00.3Z coinbase BTCUSDT 40',
    ]);
    served.tape.trade(500, 3, '21');
    await served.clock.advance(200);
    expect(await next()).toBe('2026-01-01T12:00:00.5Z binance BTCUSDT 21');
    child.kill('SIGINT');
    expect((await once(child, 'close'))[0]).toBe(0);
  } finally {
    child.kill('SIGKILL');
  }
});

test('the board stays where it is, and counts what a terminal has no room for', () => {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { rows: 5 });
  const board = new PriceBoard(stream);
  for (const symbol of ['AAA', 'BBB', 'CCC']) {
    board.set(create(LatestPriceSchema, { exchange: 'binance', symbol, price: '1' }));
  }
  board.draw();
  const drawn = String(stream.read());
  expect(drawn.split('\n').map((line) => line.replace('\u001b[2K', ''))).toEqual([
    expect.stringContaining('SYMBOL'),
    'AAA     binance       1  -',
    'BBB     binance       1  -',
    '… and 1 more',
    '',
  ]);
  board.draw();
  expect(String(stream.read())).toBe(`\u001b[4A${drawn}`);
});

test('the board lets go of what another mode does not have', () => {
  const stream = Object.assign(new PassThrough({ encoding: 'utf8' }), { rows: 9 });
  const board = new PriceBoard(stream);
  for (const exchange of ['binance', 'coinbase']) {
    board.set(create(LatestPriceSchema, { exchange, symbol: 'AAA', price: '1' }));
  }
  board.draw();
  stream.read();
  board.keep(['coinbase:AAA', 'sim-binance:AAA']);
  board.draw();
  const drawn = String(stream.read());
  expect(drawn).not.toContain(' binance');
  expect(drawn).toContain('AAA     coinbase');
  // Three lines up, two are written, and what stood below them is wiped.
  expect(drawn.startsWith('\u001b[3A')).toBe(true);
  expect(drawn.endsWith('\u001b[J')).toBe(true);
});
