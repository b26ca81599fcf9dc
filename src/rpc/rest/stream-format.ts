import { toJsonString } from '@bufbuild/protobuf';
import type { DescMessage, Message, MessageShape } from '@bufbuild/protobuf';
import { createContextKey } from '@connectrpc/connect';

/** How a stream is written over plain HTTP: a line of JSON each, or server-sent events. */
export type StreamFormat = 'lines' | 'events';

/** The format of the stream at hand and its head, for handlers that write ready bytes. */
export const streamFormatKey = createContextKey<
  { readonly format: StreamFormat; readonly header: Headers } | undefined
>(undefined, { description: 'stream format' });

export const contentTypes: Readonly<Record<StreamFormat, string>> = {
  lines: 'application/x-ndjson',
  events: 'text/event-stream',
};

/** Milliseconds after which a browser opens a stream of events again: the pause of one failed try. */
const retryMs = 2_000;

/** What a stream of events begins with. */
export const eventsPreamble = `retry: ${retryMs}\n\n`;

/** All fields are told, also those that are 0, empty or false. */
export const jsonOptions = { alwaysEmitImplicit: true } as const;

/**
 * One message of a stream. An event's id is the message's cursor, which a browser that comes back
 * sends as Last-Event-ID; a heartbeat is a comment, with the cursor where it has one.
 */
export function streamElement<Desc extends DescMessage>(
  format: StreamFormat,
  schema: Desc,
  message: MessageShape<Desc>,
): Uint8Array {
  const json = toJsonString(schema, message, jsonOptions);
  if (format === 'lines') return Buffer.from(`${json}\n`);
  const id = idLine(message);
  return Buffer.from(isHeartbeat(message) ? `: heartbeat\n${id}\n` : `${id}data: ${json}\n\n`);
}

/** What a stream of events ends with that did not fail: a browser would open it again and again. */
export const eventsEnd = 'event: end\ndata: {}\n\n';

/** What a stream that failed ends with. */
export function streamError(format: StreamFormat, status: object): Uint8Array {
  return Buffer.from(
    format === 'lines'
      ? `${JSON.stringify({ error: status })}\n`
      : `event: error\ndata: ${JSON.stringify(status)}\n\n`,
  );
}

function idLine(message: Message): string {
  const cursor = 'cursor' in message ? message.cursor : undefined;
  return typeof cursor === 'string' && /^[!-~]+$/u.test(cursor) ? `id: ${cursor}\n` : '';
}

function isHeartbeat(message: Message): boolean {
  const event: unknown = 'event' in message ? message.event : undefined;
  return (
    typeof event === 'object' && event !== null && 'case' in event && event.case === 'heartbeat'
  );
}
