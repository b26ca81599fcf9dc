#!/usr/bin/env -S node --
import { runMigrate } from './store/migrate-command.ts';

process.exitCode = await runMigrate(process.argv, process.env);
