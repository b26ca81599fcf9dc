import type { Code } from '@connectrpc/connect';
import type { Registry } from '../../base/metrics.ts';
import { answer } from './response-writer.ts';
import type { NodeRequest, NodeResponse } from './response-writer.ts';
import { textAnswer } from '../rest/openapi/own-operation.ts';
import type { OwnRoute } from '../rest/openapi/served-document.ts';

/** Answers a plain HTTP request; what it throws is answered with 500. */
export type PlainHandler = (request: NodeRequest, response: NodeResponse) => void | Promise<void>;

/**
 * The plain HTTP side of the port: finds who answers a path (without its query), or undefined. RPCs
 * are looked up first.
 */
export type PlainRoutes = (path: string, method: string) => PlainHandler | undefined;

/** Why the server is not ready, a line each; empty when it is. */
export type Readiness = () => readonly string[];

const answersText = (path: string, id: string, description: string) => ({
  httpMethod: 'GET',
  path,
  operation: { id, description, answer: textAnswer, refusal: textAnswer },
});

/** What operatorRoutes serves, as /openapi.json tells it. */
export const operatorPaths: readonly OwnRoute[] = [
  answersText('/healthz', 'Healthz', 'Whether the process lives.'),
  answersText('/readyz', 'Readyz', 'Whether a feed is connected; 503 with why it is not.'),
  answersText('/metrics', 'Metrics', 'Metrics as Prometheus reads them.'),
];

/** Serves what operators ask: /healthz, /readyz and /metrics. */
export function operatorRoutes(options: {
  readonly readiness: Readiness;
  readonly metrics: Registry;
}): PlainRoutes {
  const handlers = new Map<string, PlainHandler>([
    // The process answers, so it lives; whether it can serve is the other one's question.
    ['/healthz', (request, response) => sendText(request, response, 200, 'ok\n')],
    [
      '/readyz',
      (request, response) => {
        const reasons = options.readiness();
        if (reasons.length === 0) sendText(request, response, 200, 'ready\n');
        else sendText(request, response, 503, reasons.map((reason) => `${reason}\n`).join(''));
      },
    ],
    [
      '/metrics',
      async (request, response) => {
        const text = await options.metrics.metrics();
        sendText(request, response, 200, text, options.metrics.contentType);
      },
    ],
  ]);
  return (path, method) => {
    const handler = handlers.get(path);
    if (handler === undefined || method === 'GET' || method === 'HEAD') return handler;
    return (request, response) => {
      response.setHeader('allow', 'GET, HEAD');
      sendText(request, response, 405, `Expected GET ${path}\n`);
    };
  };
}

/** Sends a text and ends the response; to HEAD, without the text. */
export function sendText(
  request: NodeRequest,
  response: NodeResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=utf-8',
): void {
  const bytes = Buffer.from(text);
  response.setHeader('content-type', contentType);
  response.setHeader('content-length', String(bytes.length));
  response.setHeader('x-content-type-options', 'nosniff');
  answer(response, status, request.method === 'HEAD' ? undefined : bytes);
}

/** Sends a google.rpc.Status, which is how requests to RPCs over plain HTTP are refused. */
export function sendStatus(
  request: NodeRequest,
  response: NodeResponse,
  httpStatus: number,
  code: Code,
  message: string,
): void {
  const status = JSON.stringify({ code, message, details: [] });
  sendText(request, response, httpStatus, `${status}\n`, 'application/json');
}
