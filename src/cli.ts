#!/usr/bin/env -S node --
import { Command } from 'commander';
import { version } from './base/program.ts';
import { describeCandles } from './cli/candles-command.ts';
import { describeInstruments } from './cli/instruments-command.ts';
import { describeOrders } from './cli/order-command.ts';
import { runCommand } from './cli/run-command.ts';
import { describeReplay } from './replay/replay-command.ts';

const program = new Command('tradewind')
  .description('Candles from exchanges: list them, follow them, make them from captures')
  .version(version)
  .showHelpAfterError('(add --help for what there is)');
describeCandles(program.command('candles'), process.env);
describeInstruments(program.command('instruments'), process.env);
describeOrders(program.command('order'), process.env);
describeReplay(program.command('replay'));

await runCommand(program, process.argv.slice(2));
