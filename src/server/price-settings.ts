import { integer, port, text, url } from '../base/env.ts';
import type { Settings, SettingValues } from '../base/env.ts';

/** Where latest prices are shared with other readers and servers. */
export const priceSettings = {
  REDIS_URL: {
    schema: url(['redis', 'rediss']),
    description: 'Redis, to share latest prices through; without it they are not shared',
    isValueHidden: true,
  },
  CACHE_HOST: {
    schema: text(),
    description: 'The host of that Redis, where there is no REDIS_URL',
  },
  CACHE_PORT: { schema: port(6379), description: 'The port of CACHE_HOST' },
  CACHE_PASSWORD: {
    schema: text(),
    description: 'The password of CACHE_HOST',
    isValueHidden: true,
  },
  CACHE_TIMEOUT_MS: {
    schema: integer(100, 1, 100),
    description: 'Milliseconds for an answer of Redis; beyond, it is done without for a while',
  },
  CACHE_WRITE_PERIOD_MS: {
    schema: integer(100, 10, 60_000),
    description: 'Milliseconds between two writes of a price to Redis; the newest alone waits',
  },
  CACHE_EXPIRY_SECONDS: {
    schema: integer(300, 30, 604_800),
    description: 'Seconds after which a price is gone from Redis that no server vouches for',
  },
} satisfies Settings;

export type PriceCacheConfig = {
  readonly url: string;
  readonly timeoutMs: number;
  readonly writePeriodMs: number;
  readonly expirySeconds: number;
};

/** undefined: there is none. */
export function priceCacheOf(
  values: SettingValues<typeof priceSettings>,
): PriceCacheConfig | undefined {
  const { CACHE_HOST: host, CACHE_PASSWORD: password = '' } = values;
  const named = host && `redis://:${encodeURIComponent(password)}@${host}:${values.CACHE_PORT}`;
  const redisUrl = values.REDIS_URL ?? named;
  if (redisUrl === undefined || redisUrl === '') return undefined;
  return {
    url: redisUrl,
    timeoutMs: values.CACHE_TIMEOUT_MS,
    writePeriodMs: values.CACHE_WRITE_PERIOD_MS,
    expirySeconds: values.CACHE_EXPIRY_SECONDS,
  };
}
