import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { describe, expect, test } from 'vitest';
import { FeedState, InstrumentSchema } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { parseDecimal } from '../../src/base/decimal.ts';
import { candleToMessage } from '../../src/rpc/messages.ts';
import { aCandle } from '../support/a-candle.ts';
import { noon } from '../support/builders.ts';
import { runToEnd } from '../support/run-program.ts';
import { temporaryDirectory } from '../support/temporary-directory.ts';
import { startMarketStub } from './market-stub.ts';

const minute = 60_000_000;

/** As many closed 1m candles as are asked for, in pages as small as the server likes. */
function endlessList(pageLimit: number, requests: number[] = []) {
  return startMarketStub({
    listCandles: ({ pageSize, pageToken, instrument }) => {
      requests.push(pageSize);
      const first = Number(pageToken);
      const count = Math.min(pageSize, pageLimit);
      const candles = Array.from({ length: count }, (_, index) =>
        aCandle({ instrument, openTime: noon - (first + index) * minute }),
      );
      return {
        candles: candles.map(candleToMessage),
        nextPageToken: String(first + count),
        cursor: `c1.1.1.${first}`,
      };
    },
  });
}

describe('candles', () => {
  test('lists the latest ones, the earliest first, over as many pages as it takes', async () => {
    const requests: number[] = [];
    await using stub = await endlessList(1000, requests);
    const { exitCode, stdout } = await runToEnd('cli', [
      'candles',
      'sim-binance:BTCUSDT',
      '-n',
      '2500',
      '--csv',
      '--server',
      stub.address,
    ]);
    const rows = stdout.trimEnd().split('\n');
    expect([exitCode, requests, rows.length]).toEqual([0, [1000, 1000, 500], 2501]);
    expect(rows.at(-1)).toMatch(/^sim-binance,BTCUSDT,1m,2026-01-01T12:00:00Z,/u);
    expect(rows[1]).toMatch(/^sim-binance,BTCUSDT,1m,2025-12-30T18:21:00Z,/u);
  });

  test('is a table with a sparkline for people, and shows the smallest prices whole', async () => {
    await using stub = await startMarketStub({
      listCandles: () => ({
        candles: ['0.00000801', '0.00000809']
          .map(parseDecimal)
          .toReversed()
          .map((price, index) =>
            candleToMessage(
              aCandle({
                instrument: 'binance:PEPEUSDT',
                openTime: noon - index * minute,
                open: price,
                high: price,
                low: price,
                close: price,
              }),
            ),
          ),
        cursor: 'c1.1.1.1',
      }),
    });
    const { stdout } = await runToEnd('cli', ['candles', 'PEPEUSDT', '--server', stub.address]);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(
      /^INSTRUMENT +TF +OPEN TIME +OPEN +HIGH +LOW +CLOSE +VOLUME +TRADES$/u,
    );
    expect(lines[1]).toContain(
      'binance:PEPEUSDT  1m  2026-01-01T11:59:00Z  0.00000801  0.00000801',
    );
    expect(lines[2]).toContain('2026-01-01T12:00:00Z  0.00000809');
    expect(lines[4]).toBe('close ▁█');
  });

  test('is in colours where they are asked for, and only there', async () => {
    await using stub = await endlessList(2);
    const args = ['candles', 'BTCUSDT', '-n', '2', '--server', stub.address];
    const coloured = await runToEnd('cli', args, { FORCE_COLOR: '1' });
    const plain = await runToEnd('cli', args, { NO_COLOR: '1' });
    expect(coloured.stdout).toContain('\u001B[');
    expect(plain.stdout).not.toContain('\u001B[');
  });
});

describe('instruments', () => {
  const instruments = [
    create(InstrumentSchema, {
      name: 'binance:BTCUSDT',
      exchange: 'binance',
      symbol: 'BTCUSDT',
      state: FeedState.GAP,
      reason: '3 trades are missing, "id 7"',
      lastPrice: '61000.5',
      tradesReceived: 12n,
      tradesMissing: 3n,
    }),
  ];

  test.each([
    ['a table', [], /^INSTRUMENT +STATE .*\nbinance:BTCUSDT +gap +61000\.5 +- +12 +3 /u],
    [
      'csv, quoted',
      ['--csv'],
      /\nbinance,BTCUSDT,gap,"3 trades are missing, ""id 7""",61000\.5,,12,3,/u,
    ],
    [
      'json',
      ['--json'],
      /^\{"exchange":"binance","symbol":"BTCUSDT","state":"gap",.*"trades_missing":3,"candles_compared":0,.*\}\n$/u,
    ],
  ])('come as %s', async (_, flags, expected) => {
    await using stub = await startMarketStub({ listInstruments: () => ({ instruments }) });
    const args = ['instruments', ...flags, '--server', stub.address];
    expect((await runToEnd('cli', args)).stdout).toMatch(expected);
  });
});

describe('the server is found', () => {
  test('by PORT, and by the address that npm start keeps', async () => {
    await using stub = await endlessList(1);
    const port = stub.address.split(':')[1] ?? '';
    const directory = temporaryDirectory();
    const addresses = { pid: 1, server: `http://${stub.address}`, database: 'postgres://x' };
    writeFileSync(join(directory, 'addresses.json'), JSON.stringify(addresses));
    const args = ['candles', 'BTCUSDT', '-n', '1', '--json'];
    const results = await Promise.all([
      runToEnd('cli', args, { PORT: port }),
      runToEnd('cli', args, { TRADEWIND_DIRECTORY: directory }),
      runToEnd('cli', [...args, '--server', stub.address], { PORT: '1' }),
    ]);
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  });
});

describe('what it refuses', () => {
  const nowhere = '127.0.0.1:1';
  test.each([
    ['no command', [], {}, 2, 'Usage: tradewind'],
    ['an unknown command', ['candels'], {}, 2, 'Did you mean candles?'],
    ['an unknown option', ['candles', 'X', '--folow'], {}, 2, 'Did you mean --follow?'],
    ['a minute by another name', ['candles', 'X', '-t', '1min'], {}, 2, 'Did you mean 1m?'],
    ['an hour in seconds', ['candles', 'X', '-t', '3600s'], {}, 2, 'Did you mean 1h?'],
    ['a month by another name', ['candles', 'X', '-t', '1mo'], {}, 2, 'Did you mean 1M?'],
    ['no timeframe at all', ['candles', 'X', '-t', 'soon'], {}, 2, 'Expected one of 1s 1m'],
    ['a limit that is none', ['candles', 'X', '-n', '-3'], {}, 2, 'a number from 0 to'],
    ['two formats', ['candles', 'X', '--json', '--csv'], {}, 2, 'cannot be used with'],
    ['an address that is none', ['candles', 'X', '--server', 'here'], {}, 2, 'it has no port'],
    ['a port that is none', ['candles', 'X'], { PORT: '123456' }, 2, 'PORT: expected a port'],
    [
      'no server',
      ['candles', 'X', '--server', nowhere],
      {},
      1,
      `no server answers at ${nowhere} (from --server)`,
    ],
    [
      'no server at PORT',
      ['instruments'],
      { PORT: '1' },
      1,
      'no server answers at 127.0.0.1:1 (from PORT)',
    ],
  ])('%s', async (_, args, environment, expectedCode, message) => {
    const { exitCode, stdout, stderr } = await runToEnd('cli', args, environment);
    expect({ exitCode, stdout }).toEqual({ exitCode: expectedCode, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/^\s+at /mu);
  });

  test("an instrument the server does not know, in the server's words", async () => {
    await using stub = await startMarketStub({
      listCandles: () => {
        throw new ConnectError('instrument: expected one of binance:BTCUSDT', Code.NotFound);
      },
    });
    const { exitCode, stderr } = await runToEnd('cli', ['candles', 'X', '--server', stub.address]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('refused: instrument: expected one of binance:BTCUSDT');
  });

  test('a server that cannot answer now, which is not one that is not there', async () => {
    await using stub = await startMarketStub({
      listCandles: () => {
        throw new ConnectError('The stored candles cannot be read now', Code.Unavailable);
      },
    });
    const { exitCode, stderr } = await runToEnd('cli', ['candles', 'X', '--server', stub.address]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `error: the server at ${stub.address} (from --server) cannot answer now: The stored candles cannot be read now\n`,
    });
  });
});
