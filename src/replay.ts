#!/usr/bin/env -S node --
import { Command } from 'commander';
import { version } from './base/program.ts';
import { runCommand } from './cli/run-command.ts';
import { describeReplay } from './replay/replay-command.ts';

await runCommand(describeReplay(new Command('replay').version(version)), process.argv.slice(2));
