import type { Connection, Submittable } from 'pg';
import type pg from 'pg';

/** What pg's Connection can do for COPY; its types leave it out. */
type CopyConnection = Connection & {
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
};

/** Sends `text` with one `COPY … FROM STDIN` over a connection of its own. */
export async function copyIn(client: pg.Client, statement: string, text: Buffer): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const copy = {
    submit: (connection: Connection) => connection.query(statement),
    handleCopyInResponse: (connection: CopyConnection) => {
      connection.sendCopyFromChunk(text);
      connection.endCopyFrom();
    },
    handleCommandComplete: () => {},
    handleError: reject,
    handleReadyForQuery: () => resolve(),
    handleRowDescription: () => {},
    handleDataRow: () => {},
    handleEmptyQuery: () => {},
  };
  client.query(copy as Submittable);
  await promise;
}
