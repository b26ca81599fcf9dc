import { toJson } from '@bufbuild/protobuf';
import type {
  DescMethodServerStreaming,
  DescMethodUnary,
  JsonValue,
  Message,
} from '@bufbuild/protobuf';
import { createAsyncIterable } from '@connectrpc/connect/protocol';
import { Code } from '@connectrpc/connect';
import { responseWriterKey } from '../listener/rpc-handler.ts';
import type { Binding } from './bindings.ts';
import { answerHeaders } from './call-headers.ts';
import type { RestCall } from './rest-call.ts';
import { RestRefusal } from './rest-refusal.ts';
import { restStatus } from './status.ts';
import {
  contentTypes,
  eventsEnd,
  eventsPreamble,
  jsonOptions,
  streamElement,
  streamError,
  streamFormatKey,
} from './stream-format.ts';
import type { StreamFormat } from './stream-format.ts';

/** Answers a request by the RPC that it is bound to. */
export async function transcode(binding: Binding, call: RestCall): Promise<void> {
  const { rpc, reader } = binding;
  const body = reader.body === undefined ? '' : await readJsonText(call);
  const message = reader.read({ path: call.path, query: call.query, body });
  if (rpc.methodKind === 'unary') await answerUnary(binding, rpc, message, call);
  else await answerStream(rpc, message, call);
}

/** Also what curl calls a form by itself. Pages of other origins are kept out before, by those. */
const jsonTypes =
  /^(?:application\/(?:[\w.-]+\+)?json|text\/plain|application\/x-www-form-urlencoded)\b/iu;

async function readJsonText(call: RestCall): Promise<string> {
  const contentType = call.request.headers['content-type'] ?? '';
  if (contentType !== '' && !jsonTypes.test(contentType)) {
    throw new RestRefusal(Code.InvalidArgument, 'Expected content-type application/json', {
      httpStatus: 415,
    });
  }
  return await call.readText();
}

async function answerUnary(
  { responseBody }: Binding,
  rpc: DescMethodUnary,
  request: Message,
  call: RestCall,
): Promise<void> {
  const { headers, signal } = call.options;
  const answer = await call.transport.unary(rpc, signal, undefined, headers, request);
  for (const [name, value] of answerHeaders(answer.header)) call.setHeader(name, value);
  const json = toJson(rpc.output, answer.message, jsonOptions) as Readonly<
    Record<string, JsonValue>
  >;
  await call.sendJson(
    200,
    responseBody === undefined ? json : (json[responseBody.jsonName] ?? null),
  );
}

/**
 * Answers with what the RPC streams, until it ends or the client leaves. Messages that many readers
 * share do not pass here: the RPC writes them to the same writer, in the same format (see Broadcast).
 */
async function answerStream(
  rpc: DescMethodServerStreaming,
  request: Message,
  call: RestCall,
): Promise<void> {
  const { writer } = call;
  const { headers, signal } = call.options;
  const format = formatOf(call.header('accept'));
  const header = new Headers({
    'content-type': contentTypes[format],
    'cache-control': 'no-store',
    // Asks proxies that would collect lines to pass each on.
    'x-accel-buffering': 'no',
    'x-content-type-options': 'nosniff',
  });
  if (call.request.method === 'HEAD') {
    writer.writeHead(200, header);
    await writer.end();
    return;
  }
  resume(rpc, request, call.header('last-event-id'));
  const transport = call.transportWith((values) =>
    values.set(responseWriterKey, writer).set(streamFormatKey, { format, header }),
  );
  try {
    const answer = await transport.stream(
      rpc,
      signal,
      undefined,
      headers,
      createAsyncIterable([request]),
    );
    for await (const message of answer.message) {
      if (!writer.headersSent) {
        writer.writeHead(200, header);
        if (format === 'events') writer.write(Buffer.from(eventsPreamble));
      }
      await writer.writeAll(streamElement(format, rpc.output, message));
      if (writer.isGone) return;
    }
    writer.writeHead(200, header);
    if (format === 'events') writer.write(Buffer.from(eventsEnd));
  } catch (error) {
    // Before the first message it is an answer like any other.
    if (!writer.headersSent) throw error;
    writer.write(streamError(format, restStatus(error).json));
  }
  await writer.end();
}

function formatOf(accept = ''): StreamFormat {
  return /\btext\/event-stream\b/iu.test(accept) ? 'events' : 'lines';
}

/** A browser that comes back tells the last event it got, which is later than what its URL says. */
function resume(
  rpc: DescMethodServerStreaming,
  request: Message,
  lastEventId: string | undefined,
): void {
  if (lastEventId === undefined || lastEventId === '') return;
  if (rpc.input.field['resumeAfter'] === undefined) return;
  Object.assign(request, { resumeAfter: lastEventId });
}
