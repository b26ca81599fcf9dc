import { randomUUID } from 'node:crypto';
import type { NodeRequest } from './response-writer.ts';

/** What may go into headers and log lines as it is, and is not long enough to fill them. */
const saneId = /^[\w.:/+=-]{1,64}$/;

/** The request's own id, where it has a sane one, or a new one. */
export function requestIdOf(request: NodeRequest): string {
  const id = request.headers['x-request-id'];
  return typeof id === 'string' && saneId.test(id) ? id : randomUUID();
}
