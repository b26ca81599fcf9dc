import type { Micros } from '../../base/clock.ts';
import type { Execution } from '../../domain/execution.ts';
import type { Database } from '../database.ts';
import { classifyDatabaseError, describeDatabaseError, isLockedUp } from '../database-error.ts';
import { apartFromRepeats, cutIntoPieces } from './execution-batch.ts';
import { faultOf } from './execution-fault.ts';
import type { ExecutionFault } from './execution-fault.ts';
import { executionColumns } from './execution-row.ts';
import type { Freeze } from './freeze-store.ts';
import { readFreezes } from './freeze-store.ts';

/** What became of an execution that was to be recorded. */
export type RecordOutcome =
  /** It is stored, durably. */
  | { readonly type: 'recorded' }
  /** The same was recorded before; nothing changed. */
  | { readonly type: 'duplicate' }
  /** Its (account, source, source id) is taken by an execution with other contents. */
  | { readonly type: 'conflict' }
  | { readonly type: 'frozen'; readonly freeze: Freeze }
  /** It will never be recorded. */
  | ({ readonly type: 'refused' } & ExecutionFault);

/** How far ahead of the database's clock an execution may be: record_executions has it, too. */
export const maximumAhead: Micros = 600_000_000;

/** Two batches that lock each other up: Postgres ends one, which is then tried again. */
const attempts = 5;

const recordExecutions = `
  select number, outcome, freeze_id
  from record_executions($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

type Exception = {
  readonly number: number;
  readonly outcome: 'duplicate' | 'conflict' | 'frozen' | 'tooFarAhead';
  readonly freeze_id: number | null;
};

/** What the database said of one; a freeze is only known by its id. */
type Answer = RecordOutcome | { readonly type: 'frozenBy'; readonly freezeId: number };

/** Records executions from outside; those of our own fills come with the order log. */
export class ExecutionStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Records executions and answers for each one, in their order. A bad one never keeps another from
   * being recorded, and recording the same again changes nothing. Their `decidedTime` is not looked
   * at: where a fill is booked later than it happened, the database tells.
   * @throws what Postgres says in an outage: some may be recorded then, and all can be tried again
   */
  async record(executions: readonly Execution[]): Promise<readonly RecordOutcome[]> {
    const answers = new Map<Execution, Answer>();
    const sound: Execution[] = [];
    // The same object twice would be answered once.
    const asked = executions.map((execution) => ({ ...execution }));
    for (const execution of asked) {
      const fault = faultOf(execution);
      if (fault === undefined) sound.push(execution);
      else answers.set(execution, { type: 'refused', ...fault });
    }
    for (const round of apartFromRepeats(sound)) {
      const pieces = cutIntoPieces(round);
      for (let piece = pieces.shift(); piece !== undefined; piece = pieces.shift()) {
        try {
          const found = await this.#recordPiece(piece);
          for (const [index, execution] of piece.entries()) {
            answers.set(execution, found.get(index + 1) ?? { type: 'recorded' });
          }
        } catch (error) {
          if (classifyDatabaseError(error) !== 'data') throw error;
          const [only] = piece;
          if (piece.length > 1) {
            pieces.unshift(piece.slice(0, piece.length >> 1), piece.slice(piece.length >> 1));
          } else if (only !== undefined) {
            const reason = describeDatabaseError(error);
            answers.set(only, { type: 'refused', field: undefined, reason });
          }
        }
      }
    }
    return await this.#withFreezes(asked.map((execution) => answers.get(execution)));
  }

  /** Answers for what was not recorded, by its number from 1. */
  async #recordPiece(piece: readonly Execution[]): Promise<ReadonlyMap<number, Answer>> {
    const statement = {
      name: 'recordExecutions',
      text: recordExecutions,
      values: executionColumns(piece),
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const rows = await this.#database.run((sql) => sql.prepared<Exception>(statement));
        return new Map(rows.map((row) => [row.number, answerOf(row)]));
      } catch (error) {
        if (!isLockedUp(error) || attempt === attempts) throw error;
      }
    }
  }

  async #withFreezes(answers: readonly (Answer | undefined)[]): Promise<readonly RecordOutcome[]> {
    const ids = answers.flatMap((answer) => (answer?.type === 'frozenBy' ? [answer.freezeId] : []));
    const freezes = await readFreezes(this.#database, ids);
    return answers.map((answer) => {
      if (answer === undefined) throw new Error('Expected an answer for each execution');
      if (answer.type !== 'frozenBy') return answer;
      const freeze = freezes.get(answer.freezeId);
      if (freeze === undefined) throw new Error('Expected a freeze to stay for ever');
      return { type: 'frozen', freeze };
    });
  }
}

function answerOf({ outcome, freeze_id }: Exception): Answer {
  switch (outcome) {
    case 'duplicate':
    case 'conflict':
      return { type: outcome };
    case 'frozen':
      return { type: 'frozenBy', freezeId: freeze_id ?? 0 };
    case 'tooFarAhead': {
      const minutes = maximumAhead / 60_000_000;
      const field = 'executed_time';
      const reason = `${field}: expected at most ${minutes} minutes after now`;
      return { type: 'refused', field, reason };
    }
    default:
      outcome satisfies never;
      throw new Error(`Expected an outcome, got ${String(outcome)}`);
  }
}
