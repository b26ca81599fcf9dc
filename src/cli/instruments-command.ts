import { styleText } from 'node:util';
import { Option } from 'commander';
import type { Command } from 'commander';
import type { Instrument } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { FeedState } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import type { Environment } from '../base/env.ts';
import { microsOf } from '../rpc/messages.ts';
import { addServerFlags, askServer } from './ask-server.ts';
import type { CliFlags } from './config.ts';
import { csvLine } from './csv.ts';
import type { Field } from './csv.ts';
import { requestTimeoutMs } from './list-candles.ts';
import { formatTime, timeOf } from './rfc3339.ts';
import { tableLines } from './table.ts';
import type { Column } from './table.ts';
import { writeLines } from './write-lines.ts';

type Options = CliFlags & {
  readonly exchange: string;
  readonly json?: true;
  readonly csv?: true;
};

/** Makes `command` the list of instruments: its arguments, its help, and what it does. */
export function describeInstruments(command: Command, environment: Environment): Command {
  return addServerFlags(command)
    .description('List the instruments the server follows, and how their feeds are')
    .option('--exchange <name>', 'only those of one exchange', '')
    .addOption(new Option('--json', 'one JSON object a line').conflicts('csv'))
    .option('--csv', 'CSV with a header')
    .addHelpText('after', '\nExample:\n  $ tradewind instruments --exchange binance')
    .action(async (options: Options) => {
      const { instruments } = await askServer(environment, options, ({ market }) =>
        market.listInstruments({ exchange: options.exchange }, { timeoutMs: requestTimeoutMs }),
      );
      await writeLines(process.stdout, linesOf(instruments, options));
    });
}

function linesOf(instruments: readonly Instrument[], { json, csv }: Options): Iterable<string> {
  if (csv === true) {
    const rows = instruments.map((instrument) =>
      csvLine(Object.values(fields).map((field) => field(instrument))),
    );
    return [csvLine(Object.keys(fields)), ...rows];
  }
  if (json === true) {
    return instruments.map((instrument) =>
      JSON.stringify(
        Object.fromEntries(
          Object.entries(fields).map(([name, field]) => [name, field(instrument)]),
        ),
      ),
    );
  }
  return tableOf(instruments);
}

const states: Readonly<Record<FeedState, string>> = {
  [FeedState.UNSPECIFIED]: 'unknown',
  [FeedState.LIVE]: 'live',
  [FeedState.QUIET]: 'quiet',
  [FeedState.STALE]: 'stale',
  [FeedState.GAP]: 'gap',
  [FeedState.DOWN]: 'down',
};

const fields: Readonly<Record<string, (instrument: Instrument) => Field>> = {
  exchange: ({ exchange }) => exchange,
  symbol: ({ symbol }) => symbol,
  state: stateOf,
  reason: ({ reason }) => reason,
  last_price: ({ lastPrice }) => lastPrice,
  last_trade_time: ({ lastTradeTime }) => lastTradeTime && formatTime(microsOf(lastTradeTime)),
  trades_received: ({ tradesReceived }) => Number(tradesReceived),
  trades_missing: ({ tradesMissing }) => Number(tradesMissing),
  tick_size: ({ tickSize }) => tickSize,
  lot_size: ({ lotSize }) => lotSize,
  minimum_notional: ({ minimumNotional }) => minimumNotional,
  candles_compared: ({ candlesCompared }) => Number(candlesCompared),
  candles_equal: ({ candlesEqual }) => Number(candlesEqual),
  candles_mended: ({ candlesMended }) => Number(candlesMended),
};

/** A newer server may have states that we do not know. */
function stateOf({ state }: Instrument): string {
  return states[state] ?? 'unknown';
}

/** Of the closed candles that were held against the exchange's, how many were equal. */
function auditOf({ candlesCompared, candlesEqual }: Instrument): string {
  return candlesCompared === 0n ? '-' : `${candlesEqual}/${candlesCompared} equal`;
}

function tableOf(instruments: readonly Instrument[]): Iterable<string> {
  const columns: readonly Column[] = [
    { title: 'INSTRUMENT', align: 'left' },
    { title: 'STATE', align: 'left' },
    { title: 'LAST PRICE', align: 'right' },
    { title: 'LAST TRADE', align: 'left' },
    { title: 'TRADES', align: 'right' },
    { title: 'MISSING', align: 'right' },
    { title: 'AUDIT', align: 'right' },
    { title: 'TICK', align: 'right' },
    { title: 'LOT', align: 'right' },
    { title: 'MIN NOTIONAL', align: 'right' },
    { title: 'WHY', align: 'left' },
  ];
  const rows = instruments.map((instrument) => [
    instrument.name,
    styleState(stateOf(instrument)),
    instrument.lastPrice ?? '-',
    timeOf(instrument.lastTradeTime),
    String(instrument.tradesReceived),
    String(instrument.tradesMissing),
    auditOf(instrument),
    instrument.tickSize ?? '-',
    instrument.lotSize ?? '-',
    instrument.minimumNotional ?? '-',
    instrument.reason,
  ]);
  return tableLines(columns, rows);
}

function styleState(state: string): string {
  const colour = state === 'live' ? 'green' : state === 'quiet' ? 'cyan' : 'red';
  return styleText(colour, state, { stream: process.stdout });
}
