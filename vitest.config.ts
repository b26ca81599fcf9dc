import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Those need Debian's packages: vitest.debian.config.ts.
    exclude: [...configDefaults.exclude, 'test/**/*.debian.test.ts'],
    // One Postgres for the whole run, started when the first test file asks for a database.
    globalSetup: ['test/support/postgres-cluster.ts'],
    // A bound for a hung test, not a measure of speed. CI tries ten times as many random cases.
    testTimeout: process.env['CI'] === 'true' ? 900_000 : 120_000,
    hookTimeout: 120_000,
  },
});
