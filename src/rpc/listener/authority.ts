import type { NodeRequest } from './response-writer.ts';

/** Longer than any host name with a port: 253 + ":65535". */
const maxAuthorityLength = 260;

/**
 * The host, with its port, that a request was sent to; undefined for one that cannot be one. Connect
 * makes a URL of it where nothing catches, so that a malformed one would end the process.
 */
export function authorityOf(request: NodeRequest): string | undefined {
  const authority = 'authority' in request ? request.authority : request.headers.host;
  // Over HTTP/2 some proxies send Host only.
  const text = authority === undefined || authority === '' ? request.headers.host : authority;
  if (text === undefined || text === '' || text.length > maxAuthorityLength) return undefined;
  const url = URL.parse(`http://${text}/`);
  // "user@host", "host/path" and "host?query" parse, but are not a host.
  if (url === null || url.pathname !== '/' || url.href !== `http://${url.host}/`) return undefined;
  return text;
}
