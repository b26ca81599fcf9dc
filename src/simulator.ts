#!/usr/bin/env -S node --
import { runProgram } from './base/program.ts';
import { readSimulatorConfig, simulatorSettings } from './simulator/config.ts';
import { startSimulator } from './simulator/start-simulator.ts';

await runProgram(
  {
    name: 'simulator',
    summary: "A simulated market that speaks Binance's protocol, and pushes prices as JSON lines",
    settings: simulatorSettings,
    readConfig: readSimulatorConfig,
    start: startSimulator,
    flags: [['--record <file>', 'write every frame sent to this file, as replay reads it']],
  },
  process.env,
);
