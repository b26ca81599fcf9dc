#!/usr/bin/env -S node --
import { pino } from 'pino';
import { runProgram } from './base/program.ts';
import { addressLines } from './standalone/banner.ts';
import { ChildProcesses } from './base/child-processes.ts';
import { readStandaloneConfig, standaloneSettings } from './standalone/config.ts';
import { formatLogLine } from './standalone/log-line.ts';
import { AlreadyRunningError, startStandalone } from './standalone/start-standalone.ts';

const children = new ChildProcesses();
const print = (text: string) => process.stdout.write(`${text}\n`);
// Whoever read our output (`| head`) may go; that is no reason to end a server.
process.stdout.on('error', () => {});

await runProgram(
  {
    name: 'standalone',
    summary: 'Everything on this machine: Postgres, a simulated market, the server, the persistor',
    settings: standaloneSettings,
    flags: [['--live', 'follow the real exchanges and not the simulated market']],
    readConfig: readStandaloneConfig,
    openLogger: (level) =>
      pino(
        { level, timestamp: pino.stdTimeFunctions.isoTime },
        { write: (line) => print(formatLogLine('standalone', line.trimEnd(), process.stdout)) },
      ),
    start: async (config, { clock, logger, signal = new AbortController().signal }) => {
      try {
        return await startStandalone(config, { clock, logger, signal, children, print });
      } catch (error) {
        if (!(error instanceof AlreadyRunningError)) throw error;
        console.error(error.message);
        const lines = error.addresses && addressLines(error.addresses);
        console.error(lines?.join('\n') ?? 'It is still starting.');
        return process.exit(1);
      }
    },
    onInsist: () => children.killAll(),
  },
  process.env,
);
