import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { runToEnd } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { captureFile, tradeFrame } from './capture-builder.ts';

const frames = [
  tradeFrame({ id: 1, at: 1, symbol: 'PEPEUSDT', price: '0.00000801', quantity: '1000000.00' }),
  tradeFrame({ id: 2, at: 61.5, symbol: 'PEPEUSDT', price: '0.00000802', quantity: '7.50' }),
];

describe('what it prints', () => {
  test('csv, in whole decimals, when its output is not a terminal', async () => {
    const path = captureFile(frames, { gzip: true });
    const { exitCode, stdout, stderr } = await runToEnd('replay', [path]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringMatching('2 trades'),
    });
    const [header, ...rows] = stdout.trimEnd().split('\n');
    expect(header).toMatch(
      /^exchange,symbol,timeframe,open_time,open,high,low,close,volume,quote_volume,trade_count,closed,complete,partial,revision,/u,
    );
    expect(rows.map((row) => row.split(',').slice(0, 15).join(','))).toEqual([
      'binance,PEPEUSDT,1m,2026-01-01T00:00:00Z,0.00000801,0.00000801,0.00000801,0.00000801,1000000,8.01,1,true,true,true,1',
      'binance,PEPEUSDT,1m,2026-01-01T00:01:00Z,0.00000802,0.00000802,0.00000802,0.00000802,7.5,0.00006015,1,false,true,true,0',
    ]);
  });

  test('json, one object a line, under the names of the csv', async () => {
    const args = [captureFile(frames), '--format', 'json', '-t', '5m', '--exchange', 'sim-binance'];
    const { stdout } = await runToEnd('replay', args);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      expect.objectContaining({
        exchange: 'sim-binance',
        symbol: 'PEPEUSDT',
        timeframe: '5m',
        open_time: '2026-01-01T00:00:00Z',
        open: '0.00000801',
        trade_count: 2,
        closed: false,
      }),
    ]);
  });

  test('a table without colours into a pipe', async () => {
    const { stdout } = await runToEnd('replay', [captureFile(frames), '--format', 'table']);
    expect(stdout).toBe(
      [
        'INSTRUMENT        TF  OPEN TIME                   OPEN        HIGH         LOW       CLOSE   VOLUME  TRADES',
        'binance:PEPEUSDT  1m  2026-01-01T00:00:00Z  0.00000801  0.00000801  0.00000801  0.00000801  1000000       1  partial',
        'binance:PEPEUSDT  1m  2026-01-01T00:01:00Z  0.00000802  0.00000802  0.00000802  0.00000802      7.5       1  open, partial',
        '',
      ].join('\n'),
    );
  });

  test('the same bytes every time, also as a command of tradewind', async () => {
    const path = captureFile(frames);
    const [once, again, command] = await Promise.all([
      runToEnd('replay', [path, '-t', '1s', '-t', '1M']),
      runToEnd('replay', [path, '-t', '1s', '-t', '1M']),
      runToEnd('cli', ['replay', path, '-t', '1s', '-t', '1M']),
    ]);
    expect([again, command]).toEqual([once, once]);
  });

  test('only the header for a file without lines', async () => {
    const { exitCode, stdout } = await runToEnd('replay', [captureFile([])]);
    expect([exitCode, stdout.split('\n').length]).toEqual([0, 2]);
  });
});

describe('what it refuses', () => {
  test.each([
    ['no file', () => [], 2, "missing required argument 'files'"],
    [
      'a file that is not there',
      () => ['/nowhere/x.gz'],
      1,
      '/nowhere/x.gz: there is no such file',
    ],
    ['a directory', () => [temporaryDirectory()], 1, 'is a directory: name the files in it'],
    ['a truncated file', () => [truncatedFile()], 1, 'the gzip data ends too early'],
    ['a damaged file', () => [damagedFile()], 1, 'the gzip data is damaged'],
    [
      'a file of something else',
      () => [captureFile(['{"some":"thing"}', 'nothing'])],
      1,
      'Expected lines of captured market data, got 2 lines: 0 trades, 0 book tickers; not used:',
    ],
    ['an unknown timeframe', () => ['x', '-t', '5min'], 2, 'Did you mean 5m?'],
    [
      'an unknown format',
      () => ['x', '--format', 'xml'],
      2,
      'Allowed choices are table, json, csv',
    ],
    ['an unknown option', () => ['x', '--timefrme', '1m'], 2, 'Did you mean --timeframe?'],
    ['a name that no exchange has', () => ['x', '--exchange', 'No!'], 2, 'lower-case words'],
  ])('%s', async (_, args, expectedCode, message) => {
    const { exitCode, stdout, stderr } = await runToEnd('replay', args());
    expect({ exitCode, stdout }).toEqual({ exitCode: expectedCode, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /mu);
  });
});

describe('the recorded market', () => {
  const recorded = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
  const files = ['spot_btcusdt_20240808.gz', 'spot_btcusdt_20240809.gz'].map((name) =>
    join(recorded, name),
  );
  const isThere = files.every((file) => existsSync(file));
  if (!isThere) console.warn(`SKIPPED, the recorded market data is not there: ${files.join(', ')}`);

  test.skipIf(!isThere)("the two whole bars are the exchange's, to the last digit", async () => {
    const { stdout } = await runToEnd('replay', [...files, '--timeframe', '5m']);
    const rows = stdout
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((row) => row.split(','));
    expect(rows.map((row) => [...row.slice(3, 9), row[10], row[13]].join(' '))).toEqual([
      expect.stringMatching(/^2024-08-08T23:50:00Z .* true$/u),
      '2024-08-08T23:55:00Z 61828 61860.8 61583.22 61685.99 199.42863 8863 false',
      '2024-08-09T00:00:00Z 61686 61744.37 61556.04 61607.99 221.61722 9913 false',
      expect.stringMatching(/^2024-08-09T00:05:00Z .* true$/u),
    ]);
  });
});

/** A gzip file without its end. */
function truncatedFile(): string {
  const path = captureFile(
    Array.from({ length: 500 }, () => frames[0] ?? ''),
    { gzip: true },
  );
  truncateSync(path, readFileSync(path).length - 20);
  return path;
}

/** A file that only begins like gzip. */
function damagedFile(): string {
  const path = join(temporaryDirectory(), 'damaged.gz');
  writeFileSync(path, Buffer.from([0x1f, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]));
  return path;
}
