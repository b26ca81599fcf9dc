import { Code, ConnectError, createContextKey, createContextValues } from '@connectrpc/connect';
import { createAsyncIterable } from '@connectrpc/connect/protocol';
import type { Compression, UniversalHandler } from '@connectrpc/connect/protocol';
import type { UniversalServerResponse } from '@connectrpc/connect/protocol';
import { codeToHttpStatus, errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import { compressionBrotli, compressionGzip } from '@connectrpc/connect-node';
import type { Clock } from '../../base/clock.ts';
import { checkedBody, queryRefusal } from './checked-body.ts';
import type { ListenerLimits } from './listener-limits.ts';
import { bodyPieces, wholeBody } from './request-body.ts';
import { ResponseWriter } from './response-writer.ts';
import type { NodeRequest, NodeResponse } from './response-writer.ts';
import { parseGrpcTimeout } from './grpc-timeout.ts';

/** The writer of the response at hand, for handlers that write ready bytes (see Broadcast). */
export const responseWriterKey = createContextKey<ResponseWriter | undefined>(undefined, {
  description: 'response writer',
});

/** The id of the request at hand. */
export const requestIdKey = createContextKey<string>('', { description: 'request id' });

/** What requests and answers may be compressed with. */
export const acceptedCompressions: Compression[] = [compressionGzip, compressionBrotli];

export type RpcHandlerOptions = {
  readonly limits: ListenerLimits;
  readonly clock: Clock;
};

/**
 * Answers one RPC: hands the request to Connect's handler and writes what that answers. (Connect's
 * own adapter for Node throws at malformed hosts outside of any catch, writes to the console, and
 * has no way to write ready bytes.)
 */
export async function answerRpc(
  handler: UniversalHandler,
  call: {
    readonly request: NodeRequest;
    readonly response: NodeResponse;
    readonly authority: string;
    readonly requestId: string;
  },
  { limits, clock }: RpcHandlerOptions,
): Promise<void> {
  const { request, response, authority, requestId } = call;
  const writer = new ResponseWriter(request, response, { clock, stallMs: limits.stallTimeoutMs });
  const leaving = new AbortController();
  writer.onGone(() => leaving.abort(new ConnectError('The client left', Code.Canceled)));

  const isOneMessage =
    handler.method.methodKind === 'unary' || handler.method.methodKind === 'server_streaming';
  const header = headersOf(request, limits.maxTimeoutMs);
  const scheme = 'encrypted' in request.socket ? 'https' : 'http';
  const maxBytes = limits.readMaxBytes;
  const checks = {
    message: handler.method.input,
    header,
    compressions: acceptedCompressions,
    maxBytes,
  };
  const url = `${scheme}://${authority}${request.url ?? ''}`;
  if (request.method === 'GET' && handler.allowedMethods.includes('GET')) {
    const refusal = await queryRefusal(new URL(url).searchParams, checks);
    if (refusal !== undefined) {
      await write(connectRefusal(refusal), writer);
      return;
    }
  }
  const bounds = { maxBytes, timeoutMs: limits.requestBodyTimeoutMs, clock };
  const body = isOneMessage
    ? checkedBody(wholeBody(request, bounds), checks)
    : bodyPieces(request, bounds);
  const answered = handler({
    httpVersion: request.httpVersion,
    method: request.method ?? '',
    url,
    header,
    body,
    signal: leaving.signal,
    contextValues: createContextValues()
      .set(responseWriterKey, writer)
      .set(requestIdKey, requestId),
  });
  const written = answered.then((answer) => write(answer, writer));
  // A handler that does not notice that its reader left goes on alone, and fails alone.
  written.catch(() => {});
  await Promise.race([written, new Promise<void>((resolve) => writer.onGone(resolve))]);
}

/** How a GET is refused; only Connect's unary RPCs have any. */
function connectRefusal(error: ConnectError): UniversalServerResponse {
  return {
    status: codeToHttpStatus(error.code),
    header: new Headers({ 'content-type': 'application/json' }),
    body: createAsyncIterable([errorToJsonBytes(error, undefined)]),
  };
}

async function write(answer: UniversalServerResponse, writer: ResponseWriter): Promise<void> {
  const { status, header = new Headers(), trailer } = answer;
  const chunks = answer.body?.[Symbol.asyncIterator]();
  if (chunks !== undefined) {
    let isAtEnd = false;
    try {
      // Connect has waited for the first chunk already, so that handlers could set headers.
      let chunk = await chunks.next();
      writer.writeHead(status, header);
      while (chunk.done !== true) {
        await writer.writeAll(chunk.value);
        if (writer.isGone) break;
        chunk = await chunks.next();
      }
      isAtEnd = chunk.done === true;
    } finally {
      // The handler learns by its signal that the reader left; this ends what waits between chunks.
      if (!isAtEnd) chunks.return?.().catch(() => {});
    }
  }
  writer.writeHead(status, header);
  await writer.end(trailer);
}

/** The headers of a request, with no timeout far beyond the bound. */
export function headersOf(request: NodeRequest, maxTimeoutMs: number): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value === undefined || name.startsWith(':')) continue;
    for (const one of typeof value === 'string' ? [value] : value) headers.append(name, one);
  }
  boundTimeout(headers, maxTimeoutMs);
  return headers;
}

/**
 * Brings a timeout beyond the bound just above it. Connect refuses both, but sets a timer for it
 * before, and one beyond Node's longest fires at once and warns on standard error.
 */
function boundTimeout(headers: Headers, maxTimeoutMs: number): void {
  const grpcTimeoutMs = parseGrpcTimeout(headers.get('grpc-timeout') ?? '');
  if (grpcTimeoutMs !== undefined && grpcTimeoutMs > maxTimeoutMs) {
    headers.set('grpc-timeout', `${Math.floor(maxTimeoutMs / 1000) + 1}S`);
  }
  if (Number(headers.get('connect-timeout-ms')) > maxTimeoutMs) {
    headers.set('connect-timeout-ms', String(maxTimeoutMs + 1));
  }
}
