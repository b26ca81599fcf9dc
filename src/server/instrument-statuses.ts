import type { Micros } from '../base/clock.ts';
import { splitInstrumentName } from '../domain/instrument.ts';
import type { Feed } from '../exchange/feed.ts';
import type { InstrumentStatus } from '../market/instrument-state.ts';
import type { Market } from '../market/market.ts';
import type { InstrumentDirectory } from '../rpc/instrument-directory.ts';

/**
 * The status of every instrument of the mode; one that no connection has announced is down for its feed's reason, and
 * one that is not delivered although its connection is open is stale for its own.
 */
export function statusesOf(
  market: Market,
  directory: InstrumentDirectory,
  feeds: readonly Feed[],
  now: Micros,
): readonly InstrumentStatus[] {
  const announced = new Map(market.statuses(now).map((status) => [status.instrument, status]));
  const byExchange = new Map(
    feeds.map((feed) => [
      feed.exchangeName,
      { troubles: feed.instrumentTroubles(), ...feed.status() },
    ]),
  );
  return directory.names.map((instrument) => {
    const { exchange = '' } = splitInstrumentName(instrument);
    const feed = byExchange.get(exchange);
    const { state: connection, reason = 'Not connected yet', restStop, troubles } = feed ?? {};
    const status = announced.get(instrument) ?? {
      instrument,
      state: 'down',
      reason,
      lastTrade: undefined,
      tradesReceived: 0,
      tradesMissing: 0,
    };
    const trouble = troubles?.get(instrument);
    if (trouble !== undefined) {
      return { ...status, state: connection === 'open' ? 'stale' : 'down', reason: trouble };
    }
    if (status.state === 'down') return { ...status, reason };
    if (status.state === 'stale' && restStop !== undefined) {
      return { ...status, reason: `${status.reason}; REST is not asked: ${restStop}` };
    }
    return status;
  });
}

/** Why the server cannot serve anything of use yet. */
export function readinessOf(statuses: readonly InstrumentStatus[]): readonly string[] {
  if (statuses.some(({ state }) => state !== 'down')) return [];
  return [`No feed is connected: ${statuses[0]?.reason ?? 'nothing is followed'}`];
}
