import { expect } from 'vitest';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Execution } from '../../src/domain/execution.ts';
import type { Position } from '../../src/domain/position.ts';
import { closeTimeOf, openTimeOf } from '../../src/domain/timeframe.ts';
import type { PositionReader } from '../../src/position/position-reader.ts';
import type { Positions } from '../../src/position/positions.ts';
import type { ExecutionStore } from '../../src/store/position/execution-store.ts';
import type { FreezeStore } from '../../src/store/position/freeze-store.ts';
import type { PositionStore } from '../../src/store/position/position-store.ts';
import { modelBin, modelPosition, netCash } from './position-model.ts';
import type { ModelExecution, ModelPosition } from './position-model.ts';
import { accounts, instruments, names, times } from './position-scenario.ts';
import type { Action, Scenario } from './position-scenario.ts';

export type PositionsClass = typeof Positions;

/** What the engine stands on: Postgres, or its twin. */
export type Stores = {
  readonly positions: PositionStore;
  readonly record: ExecutionStore['record'];
  /** Books our own fills, and answers when. */
  readonly recordFill: (fill: Execution) => Promise<number>;
  readonly freeze: FreezeStore['freeze'];
  /** Tells a scenario's accounts from those of others in the same database. */
  readonly accountOf: (account: string) => string;
};

type Frozen = {
  readonly account: string | undefined;
  readonly instrument: string | undefined;
  readonly until: number;
};

/** Small bounds, so that few executions come to all of them. */
export const segmentLength = 2;
const bounds = { chunkLength: 4, maximumTail: 3 };

/** Runs a scenario and holds every answer against the model. */
export async function checkPositions(
  PositionsUnderTest: PositionsClass,
  { executions, groups }: Scenario,
  stores: Stores,
): Promise<void> {
  const surroundings = { store: stores.positions, clock: systemClock, logger: silentLogger };
  const open = () => new PositionsUnderTest({ ...surroundings, ...bounds });
  const all = executions.map((each) => ({ ...each, account: stores.accountOf(each.account) }));
  // Two servers work on the same store.
  const servers: [Positions, Positions] = [open(), open()];
  const recorded = new Map<string, ModelExecution>();
  const frozen: Frozen[] = [];

  for (const group of groups) {
    const before = [...recorded.values()];
    const frozenBefore = [...frozen];
    const added: ModelExecution[][] = [];
    const checks: (() => void)[] = [];
    const add = (some: readonly ModelExecution[]) => {
      for (const execution of some) {
        expect(recorded.has(keyOf(execution))).toBe(false);
        recorded.set(keyOf(execution), execution);
      }
      added.push([...some]);
    };

    const record = async ({ picks, altered }: Extract<Action, { type: 'record' }>) => {
      const batch = picks.map((pick, index) => {
        const execution = pickOf(all, pick);
        return index === altered ? { ...execution, fee: execution.fee + 1n } : execution;
      });
      const outcomes = await stores.record(batch);
      const typeOf = (index: number) => outcomes[index]?.type;
      add(batch.filter((_, index) => typeOf(index) === 'recorded'));
      checks.push(() => {
        for (const [index, execution] of batch.entries()) {
          const known = recorded.get(keyOf(execution));
          if (typeOf(index) === 'frozen') expect(isFrozen(execution, frozen)).toBe(true);
          else if (typeOf(index) === 'conflict') expect(known?.fee).not.toBe(execution.fee);
          else expect(known).toEqual(execution);
          if (typeOf(index) === 'recorded') expect(isFrozen(execution, frozenBefore)).toBe(false);
        }
      });
    };

    const recordFill = async (pick: number) => {
      const fill = { ...pickOf(all, pick), source: 'order' };
      const executedTime = await stores.recordFill(fill);
      if (!recorded.has(keyOf(fill))) {
        add([{ ...fill, executedTime }]);
        expect(isFrozen({ ...fill, executedTime }, frozenBefore)).toBe(false);
      }
      checks.push(() => {
        const ends = frozen.filter((freeze) => isFrozen(fill, [freeze])).map(({ until }) => until);
        expect([fill.executedTime, ...ends.map((end) => end + 1)]).toContain(executedTime);
      });
    };

    const ask = async (server: Positions, index: number, at: number | undefined) => {
      const name = nameOf(stores, index);
      const position = await server.reader.position(name, at);
      checks.push(() => {
        // Whoever asks meanwhile sees each of the others' batches whole or not at all.
        const possible = subsetsOf(added).map((some) =>
          modelPosition([...before, ...some.flat()].filter(isOf(name)), at),
        );
        expect(possible).toContainEqual(position && bare(position));
      });
    };

    const run = async (action: Action, index: number): Promise<void> => {
      const server = servers[index % 2 === 0 ? 0 : 1];
      switch (action.type) {
        case 'record':
          return record(action);
        case 'fill':
          return recordFill(action.pick);
        case 'freeze': {
          const account =
            action.account === null ? undefined : stores.accountOf(accounts[action.account] ?? '');
          const instrument =
            action.instrument === null ? undefined : instruments[action.instrument];
          const freeze = { account, instrument, until: times[action.until] ?? 0 };
          // From when it is asked for to when it is answered it may hold or not.
          frozen.push(freeze);
          await stores.freeze({ account, instrument }, freeze.until);
          return;
        }
        case 'rebuild':
          for (const account of accounts) {
            await server.rebuild({
              account: stores.accountOf(account),
              since: times[action.since] ?? 0,
            });
          }
          return;
        case 'ask':
          return ask(server, action.name, action.at === null ? undefined : times[action.at]);
        case 'restart':
          servers[0] = open();
          return;
        default:
          action satisfies never;
      }
    };
    await Promise.all(group.map(run));
    for (const check of checks) check();
  }
  await checkAll(open().reader, [...recorded.values()], stores);
}

/** Every position at every moment, and how it went. */
async function checkAll(
  reader: PositionReader,
  recorded: readonly ModelExecution[],
  stores: Stores,
): Promise<void> {
  const moments = new Set(recorded.flatMap(({ executedTime: time }) => [time - 1, time]));
  for (const [index] of names.entries()) {
    const name = nameOf(stores, index);
    const own = recorded.filter(isOf(name));
    for (const at of [...moments, undefined]) {
      const position = await reader.position(name, at);
      expect(position && bare(position)).toEqual(modelPosition(own, at));
      if (position === undefined) continue;
      expect(position.realizedProfit - position.cost).toBe(netCash(own, at));
      expect(position.asOf).toBe(at ?? position.lastExecutedTime);
    }
    for (const [bin, first] of [['1s', 3] as const, ['1d', 0] as const, ['1M', 0] as const]) {
      const from = openTimeOf(bin, times[first] ?? 0);
      const { bins } = await reader.history(name, { bin, from, to: from + 864_000e6, limit: 12 });
      let open = from;
      for (const each of bins) {
        expect(each.openTime).toBe(open);
        open = closeTimeOf(bin, open);
        expect(each.closeTime).toBe(open);
        const model = modelBin(own, each.openTime, each.closeTime);
        expect({
          open: each.openQuantity,
          high: each.highQuantity,
          low: each.lowQuantity,
          close: each.closeQuantity,
          volume: each.tradedVolume,
        }).toEqual(model);
      }
    }
  }
  for (const account of accounts.map(stores.accountOf)) {
    const positions = await reader.positions(account, { limit: 9 });
    const expected = instruments.map((instrument) =>
      modelPosition(recorded.filter(isOf({ account, instrument })), undefined),
    );
    expect(positions.map(bare)).toEqual(expected.filter((position) => position !== undefined));
  }
}

/** What the model tells of it, too. */
function bare(position: Position): ModelPosition {
  const { quantity, cost, realizedProfit, fees } = position;
  const { tradedVolume, executionCount, lastExecutedTime } = position;
  const sums = { fees, tradedVolume, executionCount };
  return { quantity, cost, realizedProfit, ...sums, lastExecutedTime };
}

function nameOf(stores: Stores, index: number) {
  const { account = '', instrument = '' } = names[index] ?? {};
  return { account: stores.accountOf(account), instrument };
}

function isOf({ account, instrument }: Pick<ModelExecution, 'account' | 'instrument'>) {
  return (execution: ModelExecution) =>
    execution.account === account && execution.instrument === instrument;
}

function pickOf(all: readonly ModelExecution[], pick: number): ModelExecution {
  const execution = all[pick % all.length];
  if (execution === undefined) throw new Error('Expected an execution');
  return execution;
}

function keyOf({ account, source, sourceId }: ModelExecution): string {
  return [account, source, sourceId].join('\0');
}

function isFrozen(execution: ModelExecution, frozen: readonly Frozen[]): boolean {
  return frozen.some(
    ({ account, instrument, until }) =>
      (account === undefined || account === execution.account) &&
      (instrument === undefined || instrument === execution.instrument) &&
      execution.executedTime <= until,
  );
}

function subsetsOf<T>(items: readonly T[]): T[][] {
  return items.reduce<T[][]>(
    (subsets, item) => [...subsets, ...subsets.map((subset) => [...subset, item])],
    [[]],
  );
}
