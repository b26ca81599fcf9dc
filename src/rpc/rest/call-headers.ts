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

/** Milliseconds of grpc-timeout's units. */
const unitMs: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/**
 * The headers for an RPC that a request over plain HTTP stands for. Its deadline may be told as gRPC
 * or as Connect do it; one that cannot be read is left to be refused.
 */
export function callHeaders(request: Headers): Headers {
  const headers = new Headers(request);
  const timeout = headers.get('grpc-timeout');
  for (const name of ownHeaders) headers.delete(name);
  if (timeout === null || headers.has('connect-timeout-ms')) return headers;
  const [, digits, unit = ''] = /^(\d{1,8})([HMSmun])$/u.exec(timeout) ?? [];
  const timeoutMs = Math.ceil(Number(digits) * (unitMs[unit] ?? 0));
  headers.set('connect-timeout-ms', digits === undefined ? timeout : String(timeoutMs));
  return headers;
}

/** Those of an RPC's answer that are its handler's words to the client. */
export function answerHeaders(
  answer: Headers,
): readonly (readonly [name: string, value: string])[] {
  return [...answer].filter(([name]) => !ownHeaders.includes(name) && !name.startsWith('trailer-'));
}
