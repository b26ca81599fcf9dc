import type { Micros } from '../base/clock.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import { nameInMode } from '../domain/mode.ts';
import type { Mode } from '../domain/mode.ts';
import type { Feed } from '../exchange/feed.ts';
import type { InstrumentStatus } from '../market/instrument-state.ts';
import type { DependencyHealth, FeedHealth, ServerHealth } from '../rpc/system/system-service.ts';
import type { DatabaseStatus } from '../store/database-check.ts';
import type { CacheStatus } from '../store/price/price-cache.ts';
import { isFollowedIn } from './configured-exchange.ts';
import type { ConfiguredExchange } from './configured-exchange.ts';

/** What the health of a server is made of. */
export type HealthParts = {
  readonly mode: Mode;
  readonly exchanges: readonly ConfiguredExchange[];
  readonly feeds: readonly Feed[];
  readonly statuses: readonly InstrumentStatus[];
  /** undefined: there is none. */
  readonly database: DatabaseStatus | undefined;
  /** Where history is read from, where that is another one. */
  readonly replica: DatabaseStatus | undefined;
  readonly cache: CacheStatus;
  /** Why no orders are decided although the database is there; undefined where they are. */
  readonly orderTrouble: string | undefined;
};

/** Down is what makes the server of no use: no database to answer for, or no feed at all. */
export function healthOf({ mode, exchanges, feeds: open, ...parts }: HealthParts): ServerHealth {
  const feeds = exchanges.map((exchange) => feedHealth(mode, exchange, open, parts.statuses));
  const postgres = postgresHealth(parts);
  const { state, reason } = parts.cache;
  const redis: DependencyHealth = { status: state, reason };
  const followed = feeds.filter(({ status }) => status !== 'off');
  const isDown = postgres.status === 'down' || followed.every(({ status }) => status === 'down');
  const isWhole = [...feeds, postgres, redis].every(
    ({ status }) => status === 'ok' || status === 'off',
  );
  return { status: isDown ? 'down' : isWhole ? 'ok' : 'degraded', mode, feeds, postgres, redis };
}

function feedHealth(
  mode: Mode,
  exchange: ConfiguredExchange,
  open: readonly Feed[],
  statuses: readonly InstrumentStatus[],
): FeedHealth {
  if (!isFollowedIn(mode, exchange)) {
    const reason =
      mode === 'TEST' ? 'The simulator does not speak for it' : 'It is only there in TEST mode';
    return { exchange: exchange.name, status: 'off', reason, since: undefined };
  }
  const name = nameInMode(mode, exchange.name);
  const feed = open.find(({ exchangeName }) => exchangeName === name);
  if (feed === undefined) {
    return { exchange: name, status: 'down', reason: 'Not opened yet', since: undefined };
  }
  const { since, ...health } = connectionHealth(feed);
  if (health.status !== 'ok') return { exchange: name, ...health, since };
  const own = statuses.filter(
    ({ instrument }) => splitInstrumentName(instrument).exchange === name,
  );
  const stale = own.filter(({ state }) => state === 'stale' || state === 'down');
  const [first] = stale;
  if (first === undefined) return { exchange: name, ...health, since };
  const reason = `${stale.length} of ${own.length} instruments, ${first.instrument} first: ${first.reason}`;
  return { exchange: name, status: 'degraded', reason, since };
}

function connectionHealth(feed: Feed): DependencyHealth & { readonly since: Micros } {
  const { state, reason, since, connections, restStop } = feed.status();
  if (state !== 'open') {
    const isAnyOpen = connections.some((connection) => connection.state === 'open');
    return { status: isAnyOpen ? 'degraded' : 'down', reason, since };
  }
  if (restStop === undefined) return { status: 'ok', reason: '', since };
  return { status: 'degraded', reason: `REST is not asked: ${restStop}`, since };
}

function postgresHealth({
  database,
  replica,
  orderTrouble,
}: Pick<HealthParts, 'database' | 'replica' | 'orderTrouble'>): DependencyHealth {
  if (database === undefined) return { status: 'off', reason: 'No Postgres is configured' };
  if (!database.isUp) return { status: 'down', reason: database.reason };
  if (orderTrouble !== undefined) return { status: 'degraded', reason: orderTrouble };
  if (replica === undefined || replica.isUp) return { status: 'ok', reason: '' };
  return { status: 'degraded', reason: `DB_READ_DSN: ${replica.reason}` };
}
