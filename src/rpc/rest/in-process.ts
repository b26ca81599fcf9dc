import { Code, ConnectError } from '@connectrpc/connect';
import type { ContextValues, Transport } from '@connectrpc/connect';
import { createAsyncIterable } from '@connectrpc/connect/protocol';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import { createTransport } from '@connectrpc/connect/protocol-connect';

/** The server's own RPCs, by their paths. */
export type RpcHandlers = ReadonlyMap<string, UniversalHandler>;

/**
 * A transport to this server's own RPCs. A call over it goes through all that one over the wire goes
 * through (validation, bounds, deadlines, metrics), so that whoever speaks another protocol than ours
 * need only translate. `contextValues` are the handlers'.
 */
export function inProcessTransport(rpcs: RpcHandlers, contextValues: ContextValues): Transport {
  return createTransport({
    baseUrl: 'http://in-process',
    useBinaryFormat: true,
    interceptors: [],
    acceptCompression: [],
    sendCompression: null,
    compressMinBytes: Number.MAX_SAFE_INTEGER,
    // The handlers bound what they read; what they answer is theirs to bound, too.
    readMaxBytes: maxBytes,
    writeMaxBytes: maxBytes,
    httpClient: async ({ url, method, header, body, signal = new AbortController().signal }) => {
      const { pathname } = new URL(url);
      const handler = rpcs.get(pathname);
      if (handler === undefined) throw new ConnectError(`No RPC ${pathname}`, Code.Unimplemented);
      const answer = await handler({
        httpVersion: '2.0',
        url,
        method,
        header,
        body: body ?? createAsyncIterable([]),
        signal,
        contextValues,
      });
      return {
        status: answer.status,
        header: answer.header ?? new Headers(),
        body: answer.body ?? createAsyncIterable([]),
        trailer: answer.trailer ?? new Headers(),
      };
    },
  });
}

/** The largest that Connect takes. */
const maxBytes = 0xffffffff;
