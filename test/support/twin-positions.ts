import type { Micros } from '../../src/base/clock.ts';
import type { Execution, ExecutionKey } from '../../src/domain/execution.ts';
import { compareBytes, compareExecutions, orderSource } from '../../src/domain/execution.ts';
import type { PositionName } from '../../src/domain/position.ts';
import { ExecutionRun } from '../../src/store/position/execution-run.ts';
import { faultOf } from '../../src/store/position/execution-fault.ts';
import type { RecordOutcome } from '../../src/store/position/execution-store.ts';
import type { Freeze, FreezeScope } from '../../src/store/position/freeze-store.ts';
import type {
  HistoryPiece,
  PositionChange,
  PositionMoment,
  PositionSegment,
  PositionSnapshot,
  PositionStore,
  PositionTail,
  TailQuery,
} from '../../src/store/position/position-store.ts';

type Holding = { readonly executions: readonly Execution[]; readonly lastChange: number };

const nothing: Holding = { executions: [], lastChange: 0 };
const keyOf = ({ account, instrument }: PositionName) => `${account}\0${instrument}`;

/**
 * The stores of executions, freezes and positions in memory. `pause` stands for the way to a database
 * and back: whoever else is under way may go first.
 */
export class TwinPositions implements PositionStore {
  readonly segmentLength: number;
  readonly #pause: () => Promise<unknown>;
  readonly #taken = new Map<string, Execution>();
  readonly #holdings = new Map<string, Holding>();
  readonly #segments = new Map<string, readonly PositionSegment[]>();
  readonly #changes: PositionChange[] = [];
  readonly #freezes: Freeze[] = [];

  constructor(segmentLength: number, pause: () => Promise<unknown> = async () => {}) {
    this.segmentLength = segmentLength;
    this.#pause = pause;
  }

  async record(executions: readonly Execution[]): Promise<readonly RecordOutcome[]> {
    await this.#pause();
    const recorded: Execution[] = [];
    const outcomes = executions.map((execution): RecordOutcome => {
      const fault = faultOf(execution);
      return fault === undefined ? this.#take(execution, recorded) : { type: 'refused', ...fault };
    });
    this.#book(recorded);
    await this.#pause();
    return outcomes;
  }

  /** Books a fill of ours, as the order log does, and answers when. */
  async recordFill(fill: Execution): Promise<Micros> {
    await this.#pause();
    const recorded: Execution[] = [];
    this.#take({ ...fill, source: orderSource }, recorded);
    this.#book(recorded);
    await this.#pause();
    const { executions } = this.#holdings.get(keyOf(fill)) ?? nothing;
    const booked = executions.find(
      ({ source, sourceId }) => source === orderSource && sourceId === fill.sourceId,
    );
    return booked?.executedTime ?? Number.NaN;
  }

  async freeze(scope: FreezeScope, until: Micros): Promise<Freeze> {
    await this.#pause();
    const freeze = { ...scope, freezeId: this.#freezes.length + 1, until, recordedTime: until };
    this.#freezes.push(freeze);
    return freeze;
  }

  #take(execution: Execution, recorded: Execution[]): RecordOutcome {
    const { account, source, sourceId } = execution;
    const key = [account, source, sourceId].join('\0');
    const taken = this.#taken.get(key);
    if (taken !== undefined) return { type: isSame(taken, execution) ? 'duplicate' : 'conflict' };
    const freeze = this.#freezes
      .filter((freeze) => covers(freeze, execution))
      .toSorted((a, b) => b.until - a.until)[0];
    if (freeze !== undefined && source !== orderSource) return { type: 'frozen', freeze };
    this.#taken.set(key, execution);
    recorded.push(
      freeze === undefined
        ? execution
        : { ...execution, executedTime: freeze.until + 1, decidedTime: execution.executedTime },
    );
    return { type: 'recorded' };
  }

  #book(recorded: readonly Execution[]): void {
    for (const [key, executions] of Map.groupBy(recorded, keyOf)) {
      const [earliest] = executions.toSorted(compareExecutions);
      if (earliest === undefined) continue;
      const { account, instrument } = earliest;
      const logPosition = this.#changes.length + 1;
      const executionCount = executions.length;
      this.#changes.push({ account, instrument, logPosition, earliest, executionCount });
      const all = [...(this.#holdings.get(key)?.executions ?? []), ...executions];
      this.#holdings.set(key, {
        executions: all.toSorted(compareExecutions),
        lastChange: logPosition,
      });
      const kept = this.#segments.get(key) ?? [];
      this.#segments.set(
        key,
        kept.filter((segment) => compareExecutions(segment.key, earliest) < 0),
      );
    }
  }

  async readMoment(name: PositionName, at: Micros, wanted: number): Promise<PositionMoment> {
    await this.#pause();
    const part = this.#segments.get(keyOf(name))?.find(({ key }) => key.executedTime > at);
    return part === undefined
      ? { type: 'behind', tail: this.#tail(name, { until: at, wanted }) }
      : { type: 'within', part };
  }

  async readTails(account: string, instruments: readonly string[], query: TailQuery) {
    await this.#pause();
    return instruments.map((instrument) => this.#tail({ account, instrument }, query));
  }

  #tail(name: PositionName, query: TailQuery): PositionTail {
    const segments = this.#segments.get(keyOf(name)) ?? [];
    const holding = this.#holdings.get(keyOf(name)) ?? nothing;
    const { until = Infinity } = query;
    const segment = segments.findLast(({ key }) => key.executedTime <= until);
    return { segment, ...this.#after(holding, segment?.key, query) };
  }

  #after({ executions }: Holding, key: ExecutionKey | undefined, query: TailQuery) {
    const { until = Infinity, wanted } = query;
    const found = executions
      .filter((execution) => key === undefined || compareExecutions(execution, key) > 0)
      .filter(({ executedTime }) => executedTime <= until)
      .slice(0, wanted);
    const sources = found.map(({ source }) => source);
    const sourceIds = found.map(({ sourceId }) => sourceId);
    return { executions: ExecutionRun.of(found), sources, sourceIds };
  }

  async snapshot<T>(work: (snapshot: PositionSnapshot) => Promise<T>): Promise<T> {
    await this.#pause();
    const seen = new TwinPositions(this.segmentLength, this.#pause);
    for (const [key, holding] of this.#holdings) seen.#holdings.set(key, holding);
    for (const [key, segments] of this.#segments) seen.#segments.set(key, segments);
    return await work({
      lastChange: async (name) => (seen.#holdings.get(keyOf(name)) ?? nothing).lastChange,
      readTail: async (name, query) => {
        await this.#pause();
        return seen.#tail(name, query);
      },
      readAfter: async (name, key, query) => {
        await this.#pause();
        return seen.#after(seen.#holdings.get(keyOf(name)) ?? nothing, key, query);
      },
    });
  }

  async saveSegments(
    name: PositionName,
    base: ExecutionKey | undefined,
    seenThrough: number,
    segments: readonly PositionSegment[],
  ): Promise<boolean> {
    await this.#pause();
    const kept = this.#segments.get(keyOf(name)) ?? [];
    const last = segments.at(-1);
    if (last === undefined) return true;
    if (base !== undefined && !kept.some(({ key }) => compareExecutions(key, base) === 0)) {
      return false;
    }
    const isLate = this.#changes.some(
      (change) =>
        keyOf(change) === keyOf(name) &&
        change.logPosition > seenThrough &&
        compareExecutions(change.earliest, last.key) < 0,
    );
    if (isLate) return false;
    const all = new Map([...kept, ...segments].map((each) => [JSON.stringify(each.key), each]));
    const ordered = [...all.values()].toSorted((a, b) => compareExecutions(a.key, b.key));
    this.#segments.set(keyOf(name), ordered);
    await this.#pause();
    return true;
  }

  async dropSegments(name: PositionName, since: Micros): Promise<void> {
    await this.#pause();
    const kept = this.#segments.get(keyOf(name)) ?? [];
    this.#segments.set(
      keyOf(name),
      kept.filter(({ key }) => key.executedTime < since),
    );
  }

  async readHistory(
    name: PositionName,
    edges: readonly Micros[],
    wanted: number,
  ): Promise<readonly HistoryPiece[]> {
    await this.#pause();
    const [first = 0, last = 0] = [edges[0], edges.at(-1)];
    const segments = this.#segments.get(keyOf(name)) ?? [];
    const behind = segments.find(({ key }) => key.executedTime >= last);
    const inside = segments.filter(
      ({ key }) => key.executedTime >= first && key.executedTime < last,
    );
    const pieces = [...inside, ...(behind === undefined ? [] : [behind])].map(
      (segment): HistoryPiece => {
        const { before, executions, key } = segment;
        const bin = edges.findLastIndex((edge) => edge <= key.executedTime);
        const isWithin = executions.timeAt(0) >= (edges[bin] ?? 0) && segment !== behind;
        return isWithin
          ? { ...segment, type: 'within', quantity: before.quantity, bin }
          : { type: 'across', quantity: before.quantity, executions };
      },
    );
    if (behind !== undefined) return pieces;
    const end = segments.at(-1);
    const query = { until: last - 1, wanted };
    const rest = this.#after(this.#holdings.get(keyOf(name)) ?? nothing, end?.key, query);
    const quantity = end?.endQuantity ?? 0n;
    return [...pieces, { type: 'across', quantity, executions: rest.executions }];
  }

  async listNames(account: string | undefined, after: PositionName | undefined, limit: number) {
    await this.#pause();
    const compare = (a: PositionName, b: PositionName) =>
      compareBytes(a.account, b.account) || compareBytes(a.instrument, b.instrument);
    return [...this.#holdings.keys()]
      .map((key) => key.split('\0'))
      .map(([account = '', instrument = '']) => ({ account, instrument }))
      .filter((name) => account === undefined || name.account === account)
      .filter((name) => after === undefined || compare(name, after) > 0)
      .toSorted(compare)
      .slice(0, limit);
  }

  async changesAfter(logPosition: number, limit: number) {
    await this.#pause();
    return this.#changes.slice(logPosition, logPosition + limit);
  }

  async lastLogPosition(): Promise<number> {
    return this.#changes.length;
  }
}

function covers({ account, instrument, until }: Freeze, execution: Execution): boolean {
  return (
    execution.executedTime <= until &&
    (account === undefined || account === execution.account) &&
    (instrument === undefined || instrument === execution.instrument)
  );
}

function isSame(a: Execution, b: Execution): boolean {
  return (['instrument', 'quantity', 'price', 'fee', 'executedTime', 'corrects'] as const).every(
    (field) => a[field] === b[field],
  );
}
