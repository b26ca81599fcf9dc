import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';
import { systemClock } from '../base/clock.ts';
import { candleCsvHeader, candleToCsv, candleToJson } from '../cli/candle-record.ts';
import { Failure } from '../cli/failure.ts';
import { CandleTable } from '../cli/candle-table.ts';
import { parseTimeframe } from '../cli/timeframe-argument.ts';
import { writeLines } from '../cli/write-lines.ts';
import type { Candle } from '../domain/candle.ts';
import { instrumentName, splitInstrumentName } from '../domain/instrument.ts';
import type { Timeframe } from '../domain/timeframe.ts';
import type { TimeUnit } from '../exchange/exchange.ts';
import { ProgressBar } from '../cli/progress-bar.ts';
import { OrderArguments } from './order-arguments.ts';
import type { WantedOrder } from './order-arguments.ts';
import { orderFormats } from './order-output.ts';
import { replayCaptures } from './replay-captures.ts';

type Format = 'table' | 'json' | 'csv';

type Options = {
  readonly timeframe: readonly Timeframe[] | undefined;
  readonly format: Format | undefined;
  readonly exchange: string;
  readonly timeUnit: TimeUnit;
};

/** Makes `command` the replay of captures: its arguments, its help, and what it does. */
export function describeReplay(command: Command): Command {
  const orders = new OrderArguments();
  return command
    .description(
      'Make candles from captured market data, or fill orders by it, as the server would',
    )
    .argument('<files...>', 'captures, in order: lines of "<ns> <JSON>" or "<JSON>", gzip or plain')
    .option('-t, --timeframe <timeframe>', 'repeat it for several (default: 1m)', addTimeframe)
    .addOption(
      new Option(
        '-f, --format <format>',
        'json: one object a line (default: table on a terminal, else csv)',
      ).choices(['table', 'json', 'csv'] satisfies readonly Format[]),
    )
    .option('--exchange <name>', 'the exchange to name instruments after', parseExchange, 'binance')
    .addOption(
      new Option('--time-unit <unit>', 'what the integer times in the lines count')
        .choices(['millisecond', 'microsecond'] satisfies readonly TimeUnit[])
        .default('millisecond'),
    )
    .addOption(
      new Option(
        '-o, --order <order>',
        'fill an order instead of making candles; repeat it for several',
      )
        .conflicts('timeframe')
        .argParser((text) => orders.addOrder(text)),
    )
    .addOption(
      new Option(
        '--at <time>',
        'when the order before it is submitted (default: before the first line)',
      ).argParser((text) => orders.addAt(text)),
    )
    .addOption(
      new Option(
        '--tif <time>',
        'how long it may wait: gtc, gtd, ioc or fok (default: gtc)',
      ).argParser((text) => orders.addTimeInForce(text)),
    )
    .addOption(
      new Option('--timeout <duration>', 'it expires this long after it is submitted').argParser(
        (text) => orders.addTimeout(text),
      ),
    )
    .addHelpText('after', help)
    .action(async (files: string[], options: Options) => {
      if (orders.isDangling) command.error('error: expected an --order that the flags are for');
      await replay(files, options, wantedOf(command, orders));
    });
}

/** Terms can be compared only when all flags have been read. */
function wantedOf(command: Command, orders: OrderArguments): readonly WantedOrder[] {
  try {
    return orders.all();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return command.error(`error: ${error.message}`);
  }
}

const help = `
Prints the last state of each candle, open ones too, by (instrument, timeframe, open time).
The first and the last candle of a capture are partial: it began or ended within them. Where a
symbol has both @trade and @aggTrade lines, @trade wins. What else is in the lines is counted on
standard error.

With --order it prints no candles but what became of the orders: how each was split, and a summary.
They are filled by the rules of the server, against the book tickers in the files. --at, --tif and
--timeout are for the --order before them; before the first one they are for all. An ioc or fok order
needs an --at: before the first line there is nothing to be filled from.

Examples:
  $ tradewind replay capture.gz
  $ tradewind replay monday.gz tuesday.gz --timeframe 5m --timeframe 1h --format csv > candles.csv
  $ tradewind replay capture.gz --order "sell 500 ETHUSDT @ 2682"
  $ tradewind replay capture.gz --order "buy 2 BTCUSDT @ 61650" --at 2024-08-09T00:00:00Z --tif ioc`;

async function replay(
  files: readonly string[],
  options: Options,
  wanted: readonly WantedOrder[],
): Promise<void> {
  const progress = new ProgressBar(process.stderr, systemClock);
  const { candles, orders, summary } = await replayCaptures(files, {
    exchange: options.exchange,
    timeUnit: options.timeUnit,
    timeframes: wanted.length > 0 ? [] : (options.timeframe ?? ['1m']),
    orders: wanted,
    onProgress: (part) => progress.show(part),
  }).finally(() => progress.clear());

  // A capture without lines is one of an exchange that said nothing.
  if (summary.lines > 0 && summary.trades + summary.bookTickers === 0) {
    throw new Failure(`Expected lines of captured market data, got ${summary.toString()}`);
  }
  const format = options.format ?? (process.stdout.isTTY ? 'table' : 'csv');
  await writeLines(
    process.stdout,
    wanted.length > 0 ? orderFormats[format](orders) : formats[format](candles.sorted()),
  );
  console.error(summary.toString());
}

const formats: Readonly<Record<Format, (candles: Iterable<Candle>) => Iterable<string>>> = {
  table: (candles) => new CandleTable(process.stdout).lines([...candles]),
  *json(candles) {
    for (const candle of candles) yield candleToJson(candle);
  },
  *csv(candles) {
    yield candleCsvHeader;
    for (const candle of candles) yield candleToCsv(candle);
  },
};

function addTimeframe(text: string, before: readonly Timeframe[] | undefined): Timeframe[] {
  return [...(before ?? []), parseTimeframe(text)];
}

function parseExchange(text: string): string {
  if (splitInstrumentName(instrumentName(text, 'X')).exchange !== text) {
    throw new InvalidArgumentError('Expected lower-case words, like binance or sim-binance.');
  }
  return text;
}
