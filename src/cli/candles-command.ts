import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import type { Environment } from '../base/env.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import { addServerFlags, askServer } from './ask-server.ts';
import type { CandleFormat } from './candle-printer.ts';
import type { CliFlags } from './config.ts';
import { mostCandles, showCandles } from './show-candles.ts';
import { parseTimeframe } from './timeframe-argument.ts';

type Options = CliFlags & {
  readonly timeframe: Timeframe;
  readonly limit: number;
  readonly follow?: true;
  readonly open?: true;
  readonly json?: true;
  readonly csv?: true;
};

/** Makes `command` the list of candles: its arguments, its help, and what it does. */
export function describeCandles(command: Command, environment: Environment): Command {
  return addServerFlags(command)
    .description('List the latest closed candles of an instrument, and follow the next ones')
    .argument('<symbol>', 'BTCUSDT, or with its exchange, binance:BTCUSDT')
    .option('-t, --timeframe <timeframe>', '1s 1m 3m … 1d 3d 1w 1M', parseTimeframe, '1m')
    .option('-n, --limit <count>', `how many, 0 to ${mostCandles}`, parseLimit, 20)
    .option('-f, --follow', 'go on with every candle that closes, until Ctrl-C')
    .option('--open', 'follow the open candle, too, also when the output is not a terminal')
    .addOption(new Option('--json', 'one JSON object a line').conflicts('csv'))
    .option('--csv', 'CSV with a header')
    .addHelpText('after', help)
    .action(async (symbol: string, options: Options) => {
      const wish = {
        instrument: symbol,
        timeframe: options.timeframe,
        limit: options.limit,
        isFollowed: options.follow === true,
        includeOpen: options.open === true,
        format: formatOf(options),
      };
      await askServer(environment, options, ({ market }) => showCandles(market, wish, environment));
    });
}

const help = `
On a terminal --follow shows the open candle in the last line. When the server goes away it waits,
resumes where it was, and misses nothing. Ctrl-C ends it with exit code 0.

Examples:
  $ tradewind candles BTCUSDT
  $ tradewind candles BTCUSDT --timeframe 1s --follow
  $ tradewind candles ETHUSDT --timeframe 1h --limit 500 --csv > candles.csv`;

function formatOf({ json, csv }: Options): CandleFormat {
  if (json === true) return 'json';
  return csv === true ? 'csv' : 'table';
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!/^\d{1,9}$/u.test(text) || limit > mostCandles) {
    throw new InvalidArgumentError(`Expected a number from 0 to ${mostCandles}.`);
  }
  return limit;
}
