import { AsyncLocalStorage } from 'node:async_hooks';

/** Fields that every log line written on behalf of one piece of work carries. */
export type LogFields = Readonly<Record<string, string>>;

/**
 * What the work at hand is done for, e.g. `{ requestId }`: entered once where the work comes in,
 * read by the logger. It follows awaits; work driven from elsewhere (a timer, another's iterator)
 * has the context of its driver.
 */
export const logContext = new AsyncLocalStorage<LogFields>();
