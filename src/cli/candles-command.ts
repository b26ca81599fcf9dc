import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { systemClock } from '../base/clock.ts';
import type { Environment } from '../base/env.ts';
import { onStopRequested } from '../base/stop-signals.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { MarketClient } from '../rpc/client.ts';
import { addServerFlags, askServer } from './ask-server.ts';
import { CandlePrinter } from './candle-printer.ts';
import type { CandleFormat } from './candle-printer.ts';
import type { CliFlags } from './config.ts';
import { followCandles } from './follow-candles.ts';
import { listCandles } from './list-candles.ts';
import { PrintedCandles } from './printed-candles.ts';
import { parseTimeframe } from './timeframe-argument.ts';

/** More than a month of minutes; beyond that, ask the database. */
const mostCandles = 50_000;

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
      await askServer(environment, options, (market) =>
        showCandles(market, symbol, options, environment),
      );
    });
}

const help = `
On a terminal --follow shows the open candle in the last line. When the server goes away it waits,
resumes where it was, and misses nothing. Ctrl-C ends it with exit code 0.

Examples:
  $ tradewind candles BTCUSDT
  $ tradewind candles BTCUSDT --timeframe 1s --follow
  $ tradewind candles ETHUSDT --timeframe 1h --limit 500 --csv > candles.csv`;

async function showCandles(
  market: MarketClient,
  symbol: string,
  options: Options,
  environment: Environment,
): Promise<void> {
  const printer = new CandlePrinter(formatOf(options));
  const list = await listCandles(market, symbol, options.timeframe, Math.max(options.limit, 1));
  const candles = options.limit === 0 ? [] : list.candles;
  await printer.printList(candles);
  if (options.follow !== true) {
    if (candles.length === 0 && options.limit > 0) console.error('No candle has closed yet');
    return printer.printSparkline(candles);
  }

  const printed = new PrintedCandles(list.candles[0]?.openTime ?? 0);
  for (const candle of list.candles) printed.add(candle);
  const stop = new AbortController();
  onStopRequested(systemClock, environment, {
    onStop: () => stop.abort(),
    onInsist: () => process.exit(1),
  });
  await follow(market, symbol, options, {
    printer,
    printed,
    cursor: list.cursor,
    signal: stop.signal,
  });
  printer.endLine();
}

type FollowState = {
  readonly printer: CandlePrinter;
  readonly printed: PrintedCandles;
  readonly cursor: string;
  readonly signal: AbortSignal;
};

async function follow(
  market: MarketClient,
  instrument: string,
  options: Options,
  { printer, printed, cursor, signal }: FollowState,
): Promise<void> {
  const { timeframe } = options;
  const isInPlace = process.stdout.isTTY && formatOf(options) === 'table';
  const includeOpen = isInPlace || options.open === true;
  const follower = { market, clock: systemClock, signal, instrument, timeframe, includeOpen };

  let resumeAfter: string | undefined = cursor;
  while (resumeAfter !== undefined) {
    const events = followCandles({ ...follower, resumeAfter });
    resumeAfter = undefined;
    for await (const event of events) {
      switch (event.type) {
        case 'candle': {
          const { candle } = event;
          if (!candle.isClosed) {
            if (isInPlace) await printer.printInPlace(candle);
            else await printer.print(candle);
          } else if (!event.isRepeat || printed.isNew(candle)) {
            printed.add(candle);
            await printer.print(candle);
          }
          break;
        }
        case 'interrupted':
          printer.endLine();
          console.error(
            `${event.reason}; connecting again in ${(event.delayMs / 1000).toFixed(1)} s`,
          );
          break;
        case 'resumed':
          console.error('Connected again');
          break;
        case 'outOfRange': {
          const list = await listCandles(market, instrument, timeframe, options.limit);
          for (const candle of list.candles.filter((candle) => printed.isNew(candle))) {
            printed.add(candle);
            await printer.print(candle);
          }
          resumeAfter = list.cursor;
          break;
        }
        default:
          event satisfies never;
      }
    }
  }
}

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
