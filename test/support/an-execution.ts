import { parseDecimal, parseSignedDecimal } from '../../src/base/decimal.ts';
import type { Execution } from '../../src/domain/execution.ts';

let executions = 0;

/** An execution whose key nobody else has, unless it is given. */
export function anExecution(
  execution: Partial<Omit<Execution, 'quantity' | 'price' | 'fee'>> & {
    readonly quantity?: string | bigint;
    readonly price?: string | bigint;
    readonly fee?: string | bigint;
  } = {},
): Execution {
  const { quantity = '1', price = '100', fee = '0', ...rest } = execution;
  return {
    account: 'default',
    instrument: 'external:123',
    source: 'test',
    sourceId: `id-${++executions}`,
    executedTime: Date.UTC(2026, 0, 1) * 1000,
    ...rest,
    quantity: typeof quantity === 'bigint' ? quantity : parseSignedDecimal(quantity),
    price: typeof price === 'bigint' ? price : parseDecimal(price),
    fee: typeof fee === 'bigint' ? fee : parseSignedDecimal(fee),
  };
}
