import { silentLogger } from '../../src/base/logger.ts';
import { Positions } from '../../src/position/positions.ts';
import { anExecution } from './an-execution.ts';
import { TwinClock } from './twin-clock.ts';
import { TwinPositions } from './twin-positions.ts';

/** When the first of `someExecutions` happened. */
export const start = Date.UTC(2026, 0, 1) * 1000;
export const minute = 60_000_000;
/** Of which they are. */
export const name = { account: 'default', instrument: 'external:123' };

/** Executions of 1 each, a minute after the other. */
export const someExecutions = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) =>
    anExecution({ executedTime: start + (from + index) * minute }),
  );

/** Positions over a twin, with small bounds, so that few executions come to all of them. */
export function openPositions(store = new TwinPositions(2)) {
  const clock = new TwinClock();
  const bounds = { chunkLength: 4, maximumTail: 5 };
  const positions = new Positions({ store, clock, logger: silentLogger, ...bounds });
  /** How many executions are kept in segments. */
  const kept = async () => {
    const [tail] = await store.readTails(name.account, [name.instrument], {
      until: undefined,
      wanted: 9_999,
    });
    return 2 + (tail?.segment?.before.executionCount ?? -2);
  };
  return { store, clock, positions, reader: positions.reader, kept };
}
