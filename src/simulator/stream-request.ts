import type { Connection } from './connection.ts';
import { parseStream } from './stream.ts';
import type { Stream } from './stream.ts';
import { maxSubscribedSymbols } from './subscribers.ts';

/** Streams that a connection can listen to at once. */
const maxStreams = 1024;

const methods = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY'];

/** A request that is answered with an error; Binance leaves the connection open after one. */
class RequestError extends Error {
  readonly code: number;

  constructor(code: 0 | 1 | 2 | 3, message: string) {
    super(message);
    this.code = code;
  }
}

const invalid = (what: string) => new RequestError(2, `Invalid request: ${what}`);

/** What a request that is never answered ends with: a fault wants it so. */
class NoAnswer extends Error {}

/** Does what a client asks for and says what it is answered; undefined: nothing. */
export function answerRequest(text: string, connection: Connection): string | undefined {
  let id: RequestId | undefined;
  try {
    const request = parseRequest(text);
    id = readId(request['id']);
    return JSON.stringify({ result: perform(request, connection), id });
  } catch (error) {
    if (error instanceof NoAnswer) return undefined;
    if (!(error instanceof RequestError)) throw error;
    return errorAnswer(error.code, error.message, id);
  }
}

/** `{"code":2,"msg":"Invalid request: …","id":1}`; the id where there is one to name. */
function errorAnswer(code: number, msg: string, id?: RequestId): string {
  return JSON.stringify({ code, msg, ...(id === undefined ? {} : { id }) });
}

/**
 * The streams with these names.
 * @throws RequestError naming the one that the simulator has not got
 */
export function parseStreams(names: readonly unknown[]): readonly Stream[] {
  return names.map((name) => {
    const stream = typeof name === 'string' ? parseStream(name) : undefined;
    if (stream === undefined) {
      throw invalid(`unknown stream ${JSON.stringify(name).slice(0, 80)}`);
    }
    return stream;
  });
}

/**
 * Subscribes all of them or, when they would be too many, none. Returns whether that is answered.
 * @throws RequestError
 */
export function subscribeAll(streams: readonly Stream[], connection: Connection): boolean {
  const names = new Set([...connection.streams.keys(), ...streams.map(({ name }) => name)]);
  if (names.size > maxStreams) throw invalid(`too many streams, expected at most ${maxStreams}`);
  if (!connection.hasRoomFor(streams)) {
    throw invalid(`too many symbols, expected at most ${maxSubscribedSymbols} in all`);
  }
  const ignored = connection.faults.first((fault) => fault.subscription?.(streams));
  if (ignored?.answer === 'error') throw invalid('a fault was asked for');
  for (const stream of streams) {
    if (ignored?.isIgnored(stream) !== true) connection.subscribe(stream);
  }
  return ignored?.answer !== 'none';
}

function perform(request: Readonly<Record<string, unknown>>, connection: Connection): unknown {
  const { method, params } = request;
  switch (method) {
    case 'SUBSCRIBE':
      if (!subscribeAll(parseStreams(readParams(params)), connection)) throw new NoAnswer();
      return null;
    case 'UNSUBSCRIBE':
      for (const name of readParams(params)) connection.unsubscribe(String(name));
      return null;
    case 'LIST_SUBSCRIPTIONS':
      return [...connection.streams.keys()];
    case 'GET_PROPERTY':
      readProperty(params, 1);
      return connection.isCombined;
    case 'SET_PROPERTY': {
      const [, value] = readProperty(params, 2);
      if (typeof value !== 'boolean') {
        throw new RequestError(1, 'Invalid value type: expected Boolean');
      }
      connection.isCombined = value;
      return null;
    }
    case undefined:
      throw invalid('missing field `method` at line 1 column 1');
    default: {
      const expected = methods.map((name) => `\`${name}\``).join(', ');
      const got = JSON.stringify(method).slice(0, 80);
      throw invalid(`unknown variant ${got}, expected one of ${expected} at line 1 column 1`);
    }
  }
}

function parseRequest(text: string): Readonly<Record<string, unknown>> {
  let request: unknown;
  try {
    request = JSON.parse(text);
  } catch {
    throw new RequestError(3, 'Invalid JSON: expected value at line 1 column 1');
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    throw invalid('expected an object');
  }
  return request as Record<string, unknown>;
}

type RequestId = number | string | null;

function readId(id: unknown): RequestId {
  if (id === undefined || id === null) return null;
  if (typeof id === 'number' && Number.isSafeInteger(id)) return id;
  if (typeof id === 'string' && /^[A-Za-z0-9]{1,36}$/.test(id)) return id;
  throw invalid('request ID must be an unsigned integer');
}

function readParams(params: unknown): readonly unknown[] {
  if (Array.isArray(params)) return params;
  throw invalid('params must be a list of streams');
}

function readProperty(params: unknown, count: 1 | 2): readonly unknown[] {
  if (!Array.isArray(params) || typeof params[0] !== 'string') {
    throw invalid('property name must be a string');
  }
  if (params[0] !== 'combined') throw new RequestError(0, 'Unknown property');
  if (params.length > count) throw invalid('too many parameters');
  return params;
}

/** The error that a request ended with, as an answer; undefined for any other error. */
export function answerOf(error: unknown): string | undefined {
  return error instanceof RequestError ? errorAnswer(error.code, error.message) : undefined;
}
