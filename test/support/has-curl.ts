import { spawnSync } from 'node:child_process';

/** Whether this machine has curl; what needs it is skipped where it is not there, and says so. */
export const hasCurl = spawnSync('curl', ['--version']).status === 0;

if (!hasCurl) console.warn('SKIPPED, there is no curl: what users do with it is not tried');
