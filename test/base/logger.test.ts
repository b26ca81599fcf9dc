import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

const script = `
import { logContext } from './src/base/log-context.ts';
import { openLogger } from './src/base/logger.ts';
const logger = openLogger('test', 'info');
logContext.run({ requestId: 'a' }, () => {
  logger.info({ symbol: 'BTCUSDT' }, 'First');
  logger.child({ exchange: 'binance' }).info('Second');
  logger.info('Third');
});`;

test('what one entry of a piece of work says is not in the next one', () => {
  const args = ['--input-type=module-typescript', '-e', script];
  const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  const entries = stdout
    .trim()
    .split('\n')
    .map((line) => {
      const { requestId, symbol, exchange, msg } = JSON.parse(line) as Record<string, string>;
      return { requestId, symbol, exchange, msg };
    });
  expect(entries).toEqual([
    { requestId: 'a', symbol: 'BTCUSDT', exchange: undefined, msg: 'First' },
    { requestId: 'a', symbol: undefined, exchange: 'binance', msg: 'Second' },
    { requestId: 'a', symbol: undefined, exchange: undefined, msg: 'Third' },
  ]);
});
