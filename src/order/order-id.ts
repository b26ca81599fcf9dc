import { randomFillSync } from 'node:crypto';
import type { Clock } from '../base/clock.ts';

/** Random bytes for many ids at once: asking for them costs more than all the rest. */
const pool = Buffer.alloc(16 * 256);
let used = pool.length;

/**
 * A new order id, unique without asking anybody: a UUID of version 7 (RFC 9562). It begins with the
 * time, so that ids which are made together stand together in an index.
 */
export function newOrderId(clock: Pick<Clock, 'now'>): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const bytes = pool.subarray(used, (used += 16));
  bytes.writeUIntBE(Math.floor(clock.now() / 1000), 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20)];
  return [...parts, hex.slice(20)].join('-');
}
