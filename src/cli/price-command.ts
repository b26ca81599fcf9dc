import { Option } from 'commander';
import type { Command } from 'commander';
import type { Environment } from '../base/env.ts';
import { addServerFlags, askServer } from './ask-server.ts';
import type { CliFlags } from './config.ts';
import { parseDurationArgument } from './duration-argument.ts';
import type { Duration } from './duration-argument.ts';
import { requestTimeoutMs } from './list-candles.ts';
import { boardLines, priceLines, statisticsToJson } from './price/price-lines.ts';
import { watchPrices } from './price/watch-prices.ts';
import { writeLines } from './write-lines.ts';

type Options = CliFlags & {
  readonly exchange: string;
  readonly period: Duration;
  readonly json?: true;
  readonly watch?: true;
};

const minute: Duration = { seconds: 60n, nanos: 0 };

/** Makes `command` tell what one symbol costs: its arguments, its help, and what it does. */
export function describePrice(command: Command, environment: Environment): Command {
  return addPriceFlags(command)
    .description('Tell what a symbol costs, now and over a period')
    .argument('<symbol>', 'BTCUSDT on all exchanges, or with its exchange, binance:BTCUSDT')
    .addHelpText('after', priceHelp)
    .action(async (symbol: string, { exchange, period, json, ...flags }: Options) => {
      await askServer(environment, flags, async ({ prices }) => {
        const asked = { symbol, exchange, period };
        const options = { timeoutMs: requestTimeoutMs };
        const [latest, { statistics }] = await Promise.all([
          prices.getLatestPrice(asked, options),
          prices.getPriceStatistics(asked, options),
        ]);
        if (statistics === undefined) throw new Error('Expected an answer with the statistics');
        const lines =
          json === true ? [statisticsToJson(statistics, latest)] : priceLines(latest, statistics);
        await writeLines(process.stdout, lines);
      });
    });
}

/** Makes `command` the list of prices, and the live table of them. */
export function describePrices(command: Command, environment: Environment): Command {
  return addPriceFlags(command)
    .description('List the prices of all symbols, or follow them')
    .option('-w, --watch', 'a live table of the latest prices, until Ctrl-C')
    .addHelpText('after', pricesHelp)
    .action(async ({ exchange, period, json, watch, ...flags }: Options) => {
      const format = json === true ? 'json' : 'table';
      await askServer(environment, flags, async ({ prices }) => {
        if (watch === true) return await watchPrices(prices, { exchange, format }, environment);
        const lines: string[] = [];
        const found = [];
        for (let pageToken = ''; ;) {
          const asked = { exchange, period, pageToken };
          const page = await prices.listPriceStatistics(asked, { timeoutMs: requestTimeoutMs });
          found.push(...page.symbols.flatMap((symbol) => symbol.exchanges));
          pageToken = page.nextPageToken;
          if (pageToken === '') break;
        }
        if (json === true) lines.push(...found.map((each) => statisticsToJson(each, undefined)));
        else lines.push(...boardLines(found));
        return await writeLines(process.stdout, lines);
      });
    });
}

function addPriceFlags(command: Command): Command {
  return addServerFlags(command)
    .option('--exchange <name>', 'on this exchange alone', '')
    .option(
      '-p, --period <duration>',
      'how far back: 1s to 30d, beyond 7d (1w) whole minutes',
      parseDurationArgument,
      minute,
    )
    .addOption(new Option('--json', 'one JSON object a line'));
}

const priceHelp = `
Examples:
  $ tradewind price BTCUSDT
  $ tradewind price BTCUSDT --exchange binance --period 5m`;

const pricesHelp = `
Where the output is no terminal, --watch prints a line for each change.

Examples:
  $ tradewind prices --period 24h
  $ tradewind prices --watch`;
