import type { Clock } from '../base/clock.ts';
import type { Broadcast } from './broadcast.ts';
import type { Connection } from './connection.ts';
import type { ActiveFaults } from './faults/active-faults.ts';
import type { LineExchange } from './line-exchange.ts';
import type { SimulatedMarket } from './simulated-market.ts';
import type { Subscribers } from './subscribers.ts';

/** What a control request acts on. */
export type Controlled = {
  readonly clock: Clock;
  readonly market: SimulatedMarket;
  readonly broadcast: Broadcast;
  readonly subscribers: Subscribers;
  /** Every WebSocket that is open, also those that listen to nothing. */
  readonly connections: ReadonlySet<Connection>;
  readonly faults: ActiveFaults;
  /** Those that push JSON lines, by name. */
  readonly exchanges: ReadonlyMap<string, LineExchange>;
};

/** Does what a control request asks for and says what was done. */
export type Action = (body: Body, controlled: Controlled) => unknown;

export type Body = Readonly<Record<string, unknown>>;

/** The open connections: all, or those that listen to any stream of the symbol. */
export function connectionsOf(
  { connections }: Controlled,
  symbol: string | undefined,
): readonly Connection[] {
  return [...connections].filter(
    ({ streams }) =>
      symbol === undefined || [...streams.values()].some((stream) => stream.symbol === symbol),
  );
}
