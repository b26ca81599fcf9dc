#!/usr/bin/env -S node --
import { runProgram } from './base/program.ts';
import { persistorSettings, readPersistorConfig } from './persistor/config.ts';
import { startPersistor } from './persistor/start-persistor.ts';

await runProgram(
  {
    name: 'persistor',
    summary: 'Follows the closed candles of a server and stores them in Postgres',
    settings: persistorSettings,
    readConfig: readPersistorConfig,
    start: startPersistor,
  },
  process.env,
);
