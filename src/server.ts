#!/usr/bin/env -S node --
import { runProgram } from './base/program.ts';
import { readServerConfig, serverSettings } from './server/config.ts';
import { startServer } from './server/start-server.ts';

await runProgram(
  {
    name: 'server',
    summary: 'Follows exchanges, builds candles, and serves them over gRPC, gRPC-Web and Connect.',
    settings: serverSettings,
    readConfig: readServerConfig,
    start: startServer,
  },
  process.env,
);
