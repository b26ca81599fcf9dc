import { pino } from 'pino';
import { logContext } from './log-context.ts';

/** A structured logger: `logger.warn({ exchange, delayMs }, 'Reconnecting')`. */
export type Logger = pino.Logger;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** Opens the log of one program: JSON lines on standard output, written at once. */
export function openLogger(program: string, level: LogLevel): Logger {
  return pino(
    {
      level,
      base: { program },
      timestamp: pino.stdTimeFunctions.isoTime,
      // A copy: pino adds an entry's own fields to what it is given.
      mixin: () => ({ ...logContext.getStore() }),
    },
    pino.destination({ fd: 1, sync: true }),
  );
}

/** A logger that writes nothing, for tests and tools. */
export const silentLogger: Logger = pino({ level: 'silent' });
