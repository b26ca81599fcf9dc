#!/usr/bin/env -S node --
import { basename } from 'node:path';
import { Command } from 'commander';
import { version } from './base/program.ts';
import { describeCandles } from './cli/candles-command.ts';
import { describeCompletion } from './cli/completion-command.ts';
import { describeHealth } from './cli/health-command.ts';
import { describeImport } from './cli/import-command.ts';
import { describeInstruments } from './cli/instruments-command.ts';
import { describeMode } from './cli/mode-command.ts';
import { describeOrders } from './cli/order-command.ts';
import { describePositions } from './cli/position-commands.ts';
import { describePrice, describePrices } from './cli/price-command.ts';
import { runCommand } from './cli/run-command.ts';
import { describeTrade } from './cli/trade-command.ts';
import { acceptTradeTrackerFlags } from './cli/trade-tracker-flags.ts';
import { describeReplay } from './replay/replay-command.ts';

// Trade Tracker's users call it by that name.
const isTradeTracker = basename(process.argv[1] ?? '') === 'tradetracker';
const program = new Command(isTradeTracker ? 'tradetracker' : 'tradewind')
  .description('Market data, candles, orders and positions of the server that is asked')
  .version(version)
  .showHelpAfterError('(add --help for what there is)');
describeCandles(program.command('candles'), process.env);
describeInstruments(program.command('instruments'), process.env);
describeMode(program.command('mode'), process.env);
describeHealth(program.command('health'), process.env);
describeOrders(program.command('order'), process.env);
describeTrade(program.command('trade'), process.env);
describeImport(program.command('import'), process.env);
describePositions(program, process.env);
describePrice(program.command('price'), process.env);
describePrices(program.command('prices'), process.env);
describeReplay(program.command('replay'));
describeCompletion(program.command('completion'), program);
if (isTradeTracker) acceptTradeTrackerFlags(program);

await runCommand(program, process.argv.slice(2));
