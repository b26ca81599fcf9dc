import { constants } from 'node:http2';
import { Code } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import type { Clock } from '../../base/clock.ts';
import { logContext } from '../../base/log-context.ts';
import { LogLimiter } from '../../base/log-limiter.ts';
import type { Logger } from '../../base/logger.ts';
import { authorityOf } from './authority.ts';
import type { CorsPolicy } from './cors.ts';
import type { ListenerLimits } from './listener-limits.ts';
import { sendStatus, sendText } from './plain-http.ts';
import type { PlainRoutes } from './plain-http.ts';
import { requestIdOf } from './request-id.ts';
import type { NodeRequest, NodeResponse } from './response-writer.ts';
import type { RestRouter } from '../rest.ts';
import { answerRpc } from './rpc-handler.ts';

export type RequestRouterOptions = {
  readonly rpcs: readonly UniversalHandler[];
  readonly plain: readonly PlainRoutes[];
  readonly rest: RestRouter;
  readonly cors: CorsPolicy;
  readonly limits: ListenerLimits;
  readonly logger: Logger;
  readonly clock: Clock;
};

/** One line about requests that cannot be answered in this time. */
const failureLogPeriodMs = 10_000;

/**
 * Takes every HTTP request of the port to whoever answers it. Nothing that a request says makes it
 * throw: an exception in Node's request event would end the process.
 */
export class RequestRouter {
  readonly #options: RequestRouterOptions;
  readonly #logLimiter: LogLimiter;
  readonly #rpcs: ReadonlyMap<string, UniversalHandler>;
  #activeRpcs = 0;
  #rejectedRpcs = 0;
  #isClosing = false;

  constructor(options: RequestRouterOptions) {
    this.#options = options;
    this.#logLimiter = new LogLimiter(options.clock, failureLogPeriodMs);
    this.#rpcs = new Map(options.rpcs.map((handler) => [handler.requestPath, handler]));
  }

  /** The number of RPCs at work. */
  get activeRpcs(): number {
    return this.#activeRpcs;
  }

  /** The number of RPCs so far that were refused because too many were at work. */
  get rejectedRpcs(): number {
    return this.#rejectedRpcs;
  }

  /** From now on HTTP/1.1 connections are closed after their answer. */
  closeConnections(): void {
    this.#isClosing = true;
  }

  /** The listener of Node's 'request' event. */
  readonly handle = (request: NodeRequest, response: NodeResponse): void => {
    const requestId = requestIdOf(request);
    logContext.run({ requestId }, () => {
      this.#answer(request, response, requestId).catch((error: unknown) => {
        this.#report(request, error);
        abandon(request, response);
      });
    });
  };

  #report(request: NodeRequest, error: unknown): void {
    const due = this.#logLimiter.due('answer');
    const path = request.url?.slice(0, 200);
    if (due !== undefined) {
      this.#options.logger.warn({ ...due, err: error, path }, 'Answering a request failed');
    }
  }

  async #answer(request: NodeRequest, response: NodeResponse, requestId: string): Promise<void> {
    request.on('error', () => {});
    response.on('error', () => {});
    response.setHeader('x-request-id', requestId);
    if (request.httpVersionMajor === 1) {
      if (this.#isClosing) response.setHeader('connection', 'close');
      response.once('finish', () => {
        if (this.#isClosing) request.socket.destroySoon();
      });
    }
    const authority = authorityOf(request);
    if (authority === undefined) {
      if (request.httpVersionMajor === 1) response.setHeader('connection', 'close');
      sendText(request, response, 400, 'Expected a host name and port in Host or :authority\n');
      return;
    }
    const { cors, plain, rest } = this.#options;
    if (cors.apply(request, response, authority)) return;

    const [path = ''] = (request.url ?? '').split('?', 1);
    const rpc = this.#rpcs.get(path);
    if (rpc !== undefined) {
      const call = { request, response, authority, requestId };
      if (this.#begins(response)) await this.#work(() => answerRpc(rpc, call, this.#options));
      else sendText(request, response, 503, `${tooMany}\n`);
      return;
    }
    // A page can send such a request without asking first, if it does not care for the answer.
    if (isFromForeignPage(request, cors, authority)) {
      const expected = 'Expected a page whose origin is allowed (CORS_ALLOWED_ORIGINS)';
      sendStatus(request, response, 403, Code.PermissionDenied, expected);
      return;
    }
    for (const routes of plain) {
      const handler = routes(path, request.method ?? '');
      if (handler !== undefined) {
        await handler(request, response);
        return;
      }
    }
    const routes = rest.routesOf(path);
    if (routes.length > 0) {
      const onFailure = (error: unknown) => this.#report(request, error);
      const call = { request, response, requestId, onFailure };
      if (this.#begins(response)) await this.#work(() => rest.answer(routes, call));
      else sendStatus(request, response, 503, Code.Unavailable, tooMany);
      return;
    }
    sendNotFound(request, response);
  }

  /** Whether there is room for the work of one more RPC, however it was asked for. */
  #begins(response: NodeResponse): boolean {
    if (this.#activeRpcs < this.#options.limits.maxActiveRpcs) return true;
    this.#rejectedRpcs++;
    response.setHeader('retry-after', '1');
    return false;
  }

  async #work(answer: () => Promise<void>): Promise<void> {
    this.#activeRpcs++;
    try {
      await answer();
    } finally {
      this.#activeRpcs--;
    }
  }
}

const tooMany = 'Too many requests at once';

function isFromForeignPage(request: NodeRequest, cors: CorsPolicy, authority: string): boolean {
  const { method = '', headers } = request;
  if (['GET', 'HEAD', 'OPTIONS'].includes(method) || headers.origin === undefined) return false;
  return !cors.isAllowed(headers.origin, authority);
}

/** A program that reads errors finds a google.rpc.Status here as well; who asks for a text reads one. */
function sendNotFound(request: NodeRequest, response: NodeResponse): void {
  const message = 'There is nothing here; /openapi.json tells what there is';
  const { accept = '' } = request.headers;
  if (/\btext\/(?:plain|html)\b/iu.test(accept) && !/\bjson\b/iu.test(accept)) {
    sendText(request, response, 404, `${message}\n`);
  } else {
    sendStatus(request, response, 404, Code.NotFound, message);
  }
}

/** Answers 500 if there is still time, else breaks the answer off, so that it cannot seem whole. */
function abandon(request: NodeRequest, response: NodeResponse): void {
  try {
    if (!response.headersSent) sendText(request, response, 500, 'Internal error\n');
    else if ('stream' in response) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else response.destroy();
  } catch {
    // The stream went away meanwhile, and with it whoever could be told.
  }
}
