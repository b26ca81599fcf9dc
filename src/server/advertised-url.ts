import type { Logger } from '../base/logger.ts';
import type { ServerConfig } from './config.ts';

/**
 * Where other servers on the same database reach this one, to send on what it is in charge of. One that
 * listens on all addresses does not know which of them that is, and says so.
 */
export function advertisedUrl(
  { host, orders: { advertisedUrl } }: Pick<ServerConfig, 'host' | 'orders'>,
  ownUrl: string,
  logger: Logger,
): string {
  if (advertisedUrl !== undefined) return advertisedUrl;
  if (['0.0.0.0', '::', ''].includes(host)) {
    logger.warn(
      { host, url: ownUrl },
      'Servers on other machines cannot send orders on to this one: set ADVERTISED_URL where there are any',
    );
  }
  return ownUrl;
}
