import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { ChildProcesses } from '../../../src/base/child-processes.ts';
import { SupervisedProgram } from '../../../src/base/supervised-program.ts';

// A program that supervises an obedient one and passes on what it writes.
void new SupervisedProgram({
  name: 'obedient',
  path: fileURLToPath(new URL('obedient.ts', import.meta.url)),
  environment: process.env,
  stopTimeoutMs: 10_000,
  clock: systemClock,
  logger: silentLogger,
  children: new ChildProcesses(),
  onLine: (_, line) => console.log(line),
});
