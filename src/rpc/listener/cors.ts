import { cors } from '@connectrpc/connect';
import { answer } from './response-writer.ts';
import type { NodeRequest, NodeResponse } from './response-writer.ts';

/** Seconds for which a browser may keep a preflight's answer: the most that Chromium keeps. */
const maxAgeSeconds = 7_200;

const allowedHeaders = [
  ...cors.allowedHeaders,
  'Accept-Encoding',
  'Authorization',
  'Connect-Accept-Encoding',
  'Connect-Content-Encoding',
  'Grpc-Accept-Encoding',
  'Grpc-Encoding',
  'Idempotency-Key',
  'Last-Event-ID',
  'Prefer',
  'X-Api-Key',
  'X-Request-Id',
].join(', ');
const exposedHeaders = [
  ...cors.exposedHeaders,
  'Connect-Content-Encoding',
  'Content-Encoding',
  'Grpc-Encoding',
  'X-Request-Id',
].join(', ');
const allowedMethods = [...cors.allowedMethods, 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'PUT'].join(
  ', ',
);

/**
 * Which pages may read our answers: those of the host that the request was sent to, and by default
 * those of this machine (localhost, 127.0.0.1, [::1]) on any port. A list replaces the latter;
 * "*" in it lets every page in.
 */
export class CorsPolicy {
  readonly #origins: ReadonlySet<string>;

  constructor(allowedOrigins: readonly string[]) {
    this.#origins = new Set(allowedOrigins.map((origin) => origin.replace(/\/+$/u, '')));
  }

  /** Whether a page of this origin may read answers of the host `authority`. */
  isAllowed(origin: string, authority: string): boolean {
    if (this.#origins.has('*') || this.#origins.has(origin)) return true;
    // Also "null", the origin of files and sandboxed frames.
    const url = URL.parse(origin);
    if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return false;
    if (url.origin !== origin) return false;
    if (url.host === authority.toLowerCase()) return true;
    return this.#origins.size === 0 && loopbackNames.has(url.hostname);
  }

  /**
   * Puts the headers on an answer, whatever it will be; a preflight is answered.
   * @returns whether the request is done with
   */
  apply(request: NodeRequest, response: NodeResponse, authority: string): boolean {
    response.setHeader('vary', 'Origin');
    const { origin } = request.headers;
    const isPreflight =
      request.method === 'OPTIONS' && 'access-control-request-method' in request.headers;
    if (typeof origin !== 'string') return false;
    const isAllowed = this.isAllowed(origin, authority);
    if (isAllowed) {
      response.setHeader('access-control-allow-origin', this.#origins.has('*') ? '*' : origin);
      response.setHeader('access-control-expose-headers', exposedHeaders);
    }
    if (!isPreflight) return false;
    if (isAllowed) {
      response.setHeader('access-control-allow-methods', allowedMethods);
      response.setHeader('access-control-allow-headers', allowedHeaders);
      response.setHeader('access-control-max-age', String(maxAgeSeconds));
    }
    answer(response, isAllowed ? 204 : 403);
    return true;
  }
}

const loopbackNames: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]']);
