import { parseGrpcTimeout } from '../listener/grpc-timeout.ts';

/** What belongs to the way that a request came, or to its body, and not to the RPC that is called. */
const ownHeaders = [
  'accept-encoding',
  'connect-accept-encoding',
  'connect-content-encoding',
  'connect-protocol-version',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'grpc-timeout',
  'host',
  'http2-settings',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
];

/**
 * The headers for an RPC that a request over plain HTTP stands for. Its deadline may be told as gRPC
 * or as Connect do it; one that cannot be read is left to be refused.
 */
export function callHeaders(request: Headers): Headers {
  const headers = new Headers(request);
  const timeout = headers.get('grpc-timeout');
  for (const name of ownHeaders) headers.delete(name);
  if (timeout === null || headers.has('connect-timeout-ms')) return headers;
  const timeoutMs = parseGrpcTimeout(timeout);
  headers.set(
    'connect-timeout-ms',
    timeoutMs === undefined ? timeout : String(Math.ceil(timeoutMs)),
  );
  return headers;
}

/** Those of an RPC's answer that are its handler's words to the client. */
export function answerHeaders(
  answer: Headers,
): readonly (readonly [name: string, value: string])[] {
  return [...answer].filter(([name]) => !ownHeaders.includes(name) && !name.startsWith('trailer-'));
}
