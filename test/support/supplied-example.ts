import { timestampOf } from '../../src/rpc/messages.ts';

/** Trade Tracker's own example: five trades of two instruments, in the order in which it has them. */
export const suppliedTrades = [
  [123, 100, 23, 1_650_896_178],
  [233, 50, 6, 1_650_896_178],
  [123, 7, 23, 1_650_896_180],
  [123, 25, 23, 1_650_896_181],
  [233, 150, 7, 1_650_896_181],
].map(([instrument, size, price, second = 0], index) => ({
  sourceId: `supplied-${index + 1}`,
  instrument: String(instrument),
  quantity: String(size),
  price: String(price),
  executedTime: timestampOf(second * 1_000_000),
}));

/** What is held at every second of it, and just before and after; undefined: nothing yet. */
export function suppliedPositions(): {
  readonly instrument: string;
  readonly second: number;
  readonly quantity: string | undefined;
}[] {
  const seconds = [177, 178, 179, 180, 181, 182].map((second) => 1_650_896_000 + second);
  const held = {
    '123': [undefined, '100', '100', '107', '132', '132'],
    '233': [undefined, '50', '50', '50', '200', '200'],
  };
  return Object.entries(held).flatMap(([instrument, quantities]) =>
    seconds.map((second, index) => ({ instrument, second, quantity: quantities[index] })),
  );
}
