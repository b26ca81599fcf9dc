import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runTool } from '../support/run-tool.ts';

const script = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url));

test('the demo shows each command and what it answers, and ends well', async () => {
  const { exitCode, stdout, stderr } = await runTool(process.execPath, ['--', script], {
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    timeoutMs: 110_000,
  });
  expect([exitCode, exitCode === 0 ? '' : stdout + stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/\$ tradetracker trade 20000 123 233\n20000 recorded\n/u);
  // (100 at 23, 50 at 22, 7 at 24.5; then 25 sold at 25)
  expect(stdout).toMatch(/external:gold +132 +22\.74840764331210191\d* /u);
  expect(stderr).toContain('There are no executions of external:999');
});
