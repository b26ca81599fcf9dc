import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // A bound for a hung test, not a measure of speed.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
