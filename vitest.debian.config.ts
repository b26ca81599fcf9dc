import { defineConfig } from 'vitest/config';

/** What needs more than npm brings: CI installs it from Debian's packages and runs this. */
export default defineConfig({
  test: {
    include: ['test/**/*.debian.test.ts'],
    globalSetup: ['test/support/postgres-cluster.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
