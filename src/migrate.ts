#!/usr/bin/env node
import { runMigrate } from './store/migrate-command.ts';

process.exitCode = await runMigrate(process.argv, process.env);
