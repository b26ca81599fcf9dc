import { createServer } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import type { Logger } from '../base/logger.ts';
import { Refusal } from '../domain/refusal.ts';
import { control, controlState } from './control.ts';
import type { Controlled } from './controlled.ts';
import type { Refused } from './faults/refuse.ts';
import type { Spoiling } from './faults/spoil-rest.ts';
import type { RequestWeight } from './request-weight.ts';
import { RestError } from './rest-parameters.ts';
import { tell } from './rest-reply.ts';
import type { Reply } from './rest-reply.ts';
import { routes } from './rest.ts';

/** A control request's body: ten thousand frames fit. */
const maxBodyBytes = 4 * 1024 * 1024;
/** Sockets at once; beyond that new ones are closed. */
const maxSockets = 2_000;

type Door = Controlled & {
  readonly symbols: readonly string[];
  readonly weight: RequestWeight;
  readonly logger: Logger;
};

type Answer = {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Set where it is not told as it is. */
  readonly spoiling?: Spoiling | undefined;
};

/** The HTTP server of /api/v3 and /control. It does not listen yet. */
export function openHttpDoor(door: Door): Server {
  const server = createServer((request, response) => {
    answerRequest(request, door)
      .catch((error: unknown): Answer => {
        door.logger.error({ err: error, url: request.url }, 'A request failed');
        return { status: 500, body: { code: -1000, msg: 'An unknown error occurred.' } };
      })
      .then((answer) => {
        // The client waits until it has had enough, or the simulator ends.
        if (answer === 'silence') return undefined;
        const { clock } = door;
        if ('text' in answer) return tell(response, answer, { clock, spoiling: undefined });
        return tell(response, replyOf(answer), { clock, spoiling: answer.spoiling });
      })
      .catch((error: unknown) => door.logger.debug({ err: error }, 'An answer was not taken'));
  });
  server.maxConnections = maxSockets;
  server.requestTimeout = 30_000;
  server.on('clientError', (_, socket) => socket.destroy());
  return server;
}

async function answerRequest(
  request: IncomingMessage,
  door: Door,
): Promise<Answer | Refused | 'silence'> {
  const url = URL.parse(request.url ?? '/', 'http://simulator');
  if (url === null)
    return { status: 400, body: { code: -1100, msg: 'Illegal characters in URL.' } };
  if (url.pathname === '/control') return answerControl(request, door);
  const refused = door.faults.first((fault) => fault.refuse?.('rest'));
  return refused ?? answerRest(request, url, door);
}

async function answerRest(request: IncomingMessage, url: URL, door: Door): Promise<Answer> {
  const route = routes.get(url.pathname);
  if (route === undefined) return { status: 404, body: { code: -1000, msg: 'No such path.' } };
  if (request.method !== 'GET') {
    return { status: 405, body: { code: -1000, msg: 'Method not allowed.' } };
  }
  const query = url.searchParams;
  const unit = /^microsecond$/i.test(String(request.headers['x-mbx-time-unit'])) ? 'us' : 'ms';
  let headers: Record<string, string> = {};
  try {
    const used = door.weight.use(request.socket.remoteAddress ?? '', route.weight(query));
    headers = { 'X-MBX-USED-WEIGHT-1M': String(used) };
    const now = door.broadcast.sendDue();
    const { market, symbols, faults } = door;
    const weightLimit = door.weight.limit;
    const body = await route.answer({ query, unit, now, market, symbols, weightLimit, faults });
    const spoiling = faults.first((fault) =>
      fault.spoil?.(url.pathname, query.get('symbol') ?? undefined),
    );
    return { status: 200, body, headers, spoiling };
  } catch (error) {
    if (!(error instanceof RestError)) throw error;
    const { status, code, message: msg, retryAfterSeconds } = error;
    if (retryAfterSeconds !== undefined) headers['Retry-After'] = String(retryAfterSeconds);
    return { status, body: { code, msg }, headers };
  }
}

async function answerControl(request: IncomingMessage, door: Door): Promise<Answer> {
  if (request.method === 'GET') return { status: 200, body: controlState(door) };
  if (request.method !== 'POST') {
    return { status: 405, body: { error: 'method: expected GET or POST' } };
  }
  try {
    return { status: 200, body: control(await readBody(request), door) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { status: 400, body: { error: error.message } };
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    size += chunk.length;
    if (size > maxBodyBytes) {
      throw new Refusal('invalid', `body: expected at most ${maxBodyBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function replyOf({ status, body, headers = {} }: Answer): Reply {
  return {
    status,
    headers: { 'Content-Type': 'application/json;charset=UTF-8', ...headers },
    text: JSON.stringify(body),
  };
}
