import { z } from 'zod';
import type { Micros } from '../../base/clock.ts';
import type { InstrumentName } from '../../domain/instrument.ts';
import { Refusal } from '../../domain/refusal.ts';
import type { ExecutionPlace } from '../../store/position/execution-reader.ts';

// Where the pages of lists begin, as texts that clients hand back.

/** What stands in a row: Postgres knows no NUL and no half characters. */
const column = z
  .string()
  .max(256)
  .refine((text) => !text.includes('\0') && text.isWellFormed());

const positionToken = z.object({ instrument: column });
const historyToken = z.object({ from: z.int().min(0) });
const executionToken = z.object({
  time: z.int().min(0),
  source: column,
  sourceId: column,
});

export function formatPositionPageToken({ instrument }: { instrument: InstrumentName }): string {
  return format({ instrument } satisfies z.infer<typeof positionToken>);
}

/** The last instrument of the page before. @throws Refusal */
export function parsePositionPageToken(token: string): InstrumentName | undefined {
  return parse(positionToken, token)?.instrument;
}

export function formatHistoryPageToken(from: Micros): string {
  return format({ from } satisfies z.infer<typeof historyToken>);
}

/** Where the next bin begins. @throws Refusal */
export function parseHistoryPageToken(token: string): Micros | undefined {
  return parse(historyToken, token)?.from;
}

export function formatExecutionPageToken(execution: ExecutionPlace): string {
  const { executedTime: time, source, sourceId } = execution;
  return format({ time, source, sourceId } satisfies z.infer<typeof executionToken>);
}

/** The last execution of the page before. @throws Refusal */
export function parseExecutionPageToken(
  instrument: InstrumentName,
  token: string,
): ExecutionPlace | undefined {
  const found = parse(executionToken, token);
  if (found === undefined) return undefined;
  return { instrument, executedTime: found.time, source: found.source, sourceId: found.sourceId };
}

function format(place: object): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function parse<Place>(schema: z.ZodType<Place>, token: string): Place | undefined {
  if (token === '') return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(token, 'base64url').toString()));
  } catch (cause) {
    throw new Refusal('invalid', 'page_token: expected the next_page_token of an answer', {
      field: 'page_token',
      cause,
    });
  }
}
