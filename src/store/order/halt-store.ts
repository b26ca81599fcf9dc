import type { Micros } from '../../base/clock.ts';
import type { Halts } from '../../order/order-log.ts';
import type { Database, Sql } from '../database.ts';

/** A stop that is in force. */
export type Halt = {
  /** Undefined: everything is halted. */
  readonly account: string | undefined;
  /** In words; may be empty. */
  readonly reason: string;
  readonly time: Micros;
};

/** Stops trading, of an account or of all, on all servers. Everything throws in an outage. */
export class HaltStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Halts an account, or everything; what is halted stays as it is. Once this is answered nothing is
   * accepted or filled any more that was not before: what was being stored is waited for, and what
   * comes later is refused.
   * @param reason at most 200 bytes
   * @returns all halts, that of everything first, then by account
   */
  halt(account: string | undefined, reason: string): Promise<readonly Halt[]> {
    return this.#database.run(async (sql) => {
      await sql`select halt_trading(${account ?? ''}, ${reason})`;
      return await listHalts(sql);
    });
  }

  /**
   * Ends the halt of an account, or that of everything; halts of accounts stay.
   * @returns the halts that are left
   */
  resume(account: string | undefined): Promise<readonly Halt[]> {
    return this.#database.run(async (sql) => {
      await sql`select resume_trading(${account ?? ''})`;
      return await listHalts(sql);
    });
  }

  /** All halts, that of everything first, then by account. */
  list(): Promise<readonly Halt[]> {
    return this.#database.run(listHalts);
  }
}

async function listHalts(sql: Sql): Promise<readonly Halt[]> {
  const rows = await sql<{ account: string; reason: string; halted_at: Micros }>`
    select account, reason, halted_at from trading_halt order by account`;
  return rows.map(({ account, reason, halted_at: time }) => ({
    account: account === '' ? undefined : account,
    reason,
    time,
  }));
}

/** Who may not trade, why, and at which revision. */
export async function readHalts(sql: Sql): Promise<Halts> {
  const rows = await sql<{ revision: number; account: string | null; reason: string }>`
    select revision, account, reason from halt_revision left join trading_halt on true`;
  const accounts = new Map(
    rows.flatMap(({ account, reason }) => (account === null ? [] : [[account, reason] as const])),
  );
  const everything = accounts.get('');
  accounts.delete('');
  return { revision: rows[0]?.revision ?? 0, everything, accounts };
}
