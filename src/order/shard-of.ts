import type { InstrumentName } from '../domain/instrument.ts';
import { shardCount } from './order-log.ts';

/**
 * The shard of an instrument: FNV-1a over its UTF-8 bytes. It is the same on every server and in
 * every version, because what is stored is divided by it.
 */
export function shardOf(instrument: InstrumentName): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(instrument)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % shardCount;
}
