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
import { ProgressBar } from './progress-bar.ts';
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
  return command
    .description('Make candles from captured market data, exactly as the server would')
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
    .addHelpText('after', help)
    .action(async (files: string[], options: Options) => {
      await replay(files, options);
    });
}

const help = `
Prints the last state of each candle, open ones too, by (instrument, timeframe, open time).
The first and the last candle of a capture are partial: it began or ended within them. Where a
symbol has both @trade and @aggTrade lines, @trade wins. What else is in the lines is counted on
standard error.

Examples:
  $ tradewind replay capture.gz
  $ tradewind replay monday.gz tuesday.gz --timeframe 5m --timeframe 1h --format csv > candles.csv`;

async function replay(files: readonly string[], options: Options): Promise<void> {
  const progress = new ProgressBar(process.stderr, systemClock);
  const { candles, summary } = await replayCaptures(files, {
    exchange: options.exchange,
    timeUnit: options.timeUnit,
    timeframes: options.timeframe ?? ['1m'],
    onProgress: (part) => progress.show(part),
  }).finally(() => progress.clear());

  // A capture without lines is one of an exchange that said nothing.
  if (summary.lines > 0 && summary.trades + summary.bookTickers === 0) {
    throw new Failure(`Expected lines of captured market data, got ${summary.toString()}`);
  }
  const format = options.format ?? (process.stdout.isTTY ? 'table' : 'csv');
  await writeLines(process.stdout, formats[format](candles.sorted()));
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
