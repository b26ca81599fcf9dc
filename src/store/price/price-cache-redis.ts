import { createClient, ErrorReply } from '@redis/client';
import type { Clock } from '../../base/clock.ts';
import { fieldsOf, keyOf, latestPlausible, tradeFrom, writeScript } from './price-cache-entry.ts';
import { CacheRefusal } from './price-cache.ts';
import type { PriceConnection } from './price-cache.ts';

export type RedisOptions = {
  /** redis:// or rediss://, with a password where one is needed. */
  readonly url: string;
  /** A price is gone this long after the last server vouched for it. */
  readonly expirySeconds: number;
  readonly clock: Clock;
};

/**
 * Connects to a Redis of version 6 or later. The client queues nothing while there is no connection
 * and opens none again: that is up to the caller.
 * @throws Error when it cannot be reached or refuses the password
 */
export async function connectToRedis(
  { url, expirySeconds, clock }: RedisOptions,
  signal: AbortSignal,
): Promise<PriceConnection> {
  const client = createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    socket: { reconnectStrategy: false },
  });
  // Whoever uses the connection is told, too; unheard, it would end the process.
  client.on('error', () => {});
  const close = () => {
    signal.removeEventListener('abort', close);
    if (client.isOpen) client.destroy();
  };
  signal.addEventListener('abort', close, { once: true });
  try {
    await client.connect();
    signal.throwIfAborted();
  } catch (error) {
    close();
    throw error;
  }

  return {
    async write(trades) {
      const keys = trades.map(({ instrument }) => keyOf(instrument));
      const limits = [String(expirySeconds * 1000), String(latestPlausible(clock.now()))];
      const values = [...limits, ...trades.flatMap(fieldsOf)];
      await refused(client.eval(writeScript, { keys, arguments: values }));
    },
    async read(instruments) {
      const now = clock.now();
      const kept = instruments.map(async (instrument) => {
        const reply = await orNothing(client.hGetAll(keyOf(instrument)));
        return reply === undefined ? undefined : tradeFrom(instrument, reply, now);
      });
      return (await Promise.all(kept)).filter((trade) => trade !== undefined);
    },
    async check() {
      await client.ping();
    },
    close,
  };
}

/** What Redis answers with an error is a refusal: it is there. */
async function refused<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof ErrorReply) throw new CacheRefusal(error.message, { cause: error });
    throw error;
  }
}

/** A key of a wrong type holds nothing of ours. */
async function orNothing<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply;
  } catch (error) {
    if (error instanceof ErrorReply) return undefined;
    throw error;
  }
}
