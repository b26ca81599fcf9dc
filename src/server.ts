#!/usr/bin/env -S node --
import { runProgram } from './base/program.ts';
import { readServerConfig, serverSettings } from './server/config.ts';
import { startServer } from './server/start-server.ts';

await runProgram(
  {
    name: 'server',
    summary:
      'Follows exchanges, builds candles, fulfils orders, and serves all of it over gRPC, gRPC-Web, Connect and plain HTTP.',
    settings: serverSettings,
    readConfig: readServerConfig,
    start: startServer,
    flags: [['--port <port>', 'the port to listen on, whatever PORT says']],
  },
  process.env,
);
