import type { Logger } from '../base/logger.ts';
import type { RefusedItem } from '../store/candle/candle-store.ts';

/** Lines a batch at most: one that is bad as a whole must not fill the disk. */
const loggedItems = 10;

/** A bad name may be a megabyte long. */
const loggedCharacters = 200;

/** Tells what the database will never take, enough of it to find out where it came from. */
export function logRefused(logger: Logger, refused: readonly RefusedItem[]): void {
  for (const { item, reason } of refused.slice(0, loggedItems)) {
    const fields = Object.entries(item).map(([key, value]): [string, string] => [
      key,
      String(value).slice(0, loggedCharacters),
    ]);
    logger.error({ ...Object.fromEntries(fields), reason }, 'Left out what cannot be stored');
  }
  if (refused.length > loggedItems) {
    logger.error({ more: refused.length - loggedItems }, 'Left out more that cannot be stored');
  }
}
