import type { Mode } from '../domain/mode.ts';
import type { Database } from './database.ts';

/** A mode that was switched to, and what was configured then. */
export type KeptMode = { readonly mode: Mode; readonly configured: Mode };

/** Keeps the mode of a server over its restarts. Everything throws in an outage. */
export class ModeStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** undefined: none was ever kept. */
  async read(): Promise<KeptMode | undefined> {
    const [row] = await this.#database.run(
      (sql) => sql<KeptMode>`select mode, configured from server_mode`,
    );
    return row;
  }

  /** Keeps a mode in the place of the one before. */
  async keep({ mode, configured }: KeptMode): Promise<void> {
    await this.#database.run(
      (sql) => sql`
        insert into server_mode (mode, configured) values (${mode}, ${configured})
        on conflict (is_only) do update
        set mode = excluded.mode, configured = excluded.configured, changed_at = now()`,
    );
  }
}
