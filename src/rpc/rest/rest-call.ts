import { Code, ConnectError, createContextValues } from '@connectrpc/connect';
import type { ContextValues, Transport } from '@connectrpc/connect';
import { compressionGzip } from '@connectrpc/connect-node';
import type { Clock } from '../../base/clock.ts';
import type { ListenerLimits } from '../listener/listener-limits.ts';
import { ResponseWriter } from '../listener/response-writer.ts';
import type { NodeRequest, NodeResponse } from '../listener/response-writer.ts';
import { headersOf, requestIdKey } from '../listener/rpc-handler.ts';
import { parseStrictJson } from './strict-json.ts';
import type { ExactJson } from './strict-json.ts';
import { callHeaders } from './call-headers.ts';
import { inProcessTransport } from './in-process.ts';
import type { RpcHandlers } from './in-process.ts';
import { splitPath } from './path-template.ts';
import type { RequestPath } from './path-template.ts';
import { readQuery } from './query-text.ts';
import { readBodyText } from './rest-body.ts';
import { refusedField } from './rest-refusal.ts';
import { restStatus } from './status.ts';

export type RestSurroundings = {
  readonly rpcs: RpcHandlers;
  readonly limits: ListenerLimits;
  readonly clock: Clock;
};

/** What a request brings along. */
export type RestRequest = {
  readonly request: NodeRequest;
  readonly response: NodeResponse;
  readonly requestId: string;
  /** Told what nobody foresaw, of which the client is only told that it happened. */
  readonly onFailure: (error: unknown) => void;
};

/**
 * One request over plain HTTP, for whoever answers it:
 *
 *     const orders = createClient(OrderService, call.transport);
 *     const order = await orders.submitLimitOrder(toRequest(await call.readJson()), call.options);
 *     await call.sendJson(200, { message: 'Order successfully fulfilled', ...toAnswer(order) });
 *
 * What it throws is answered as a google.rpc.Status: a RestRefusal, a Refusal or an RPC's error in its
 * words, everything else as an internal error.
 */
export class RestCall {
  readonly request: NodeRequest;
  /** The path in its pieces, not decoded; the query without its question mark. */
  readonly path: RequestPath;
  readonly query: string;
  readonly writer: ResponseWriter;
  /** What an RPC is given besides its message: the client's headers, and a signal that it left. */
  readonly options: { readonly headers: Headers; readonly signal: AbortSignal };
  readonly #response: NodeResponse;
  readonly #surroundings: RestSurroundings;
  readonly #values: ContextValues;

  constructor({ request, response, requestId }: RestRequest, surroundings: RestSurroundings) {
    const { limits, clock } = surroundings;
    const [path = '', ...query] = (request.url ?? '').split('?');
    this.request = request;
    this.path = splitPath(path);
    this.query = query.join('?');
    this.writer = new ResponseWriter(request, response, { clock, stallMs: limits.stallTimeoutMs });
    const leaving = new AbortController();
    this.writer.onGone(() => leaving.abort(new ConnectError('The client left', Code.Canceled)));
    this.options = {
      headers: callHeaders(headersOf(request, limits.maxTimeoutMs)),
      signal: leaving.signal,
    };
    this.#response = response;
    this.#surroundings = surroundings;
    this.#values = createContextValues().set(requestIdKey, requestId);
  }

  /** Reaches this server's RPCs. */
  get transport(): Transport {
    return this.transportWith((values) => values);
  }

  /** The same, with more for their handlers to know. */
  transportWith(add: (values: ContextValues) => ContextValues): Transport {
    return inProcessTransport(this.#surroundings.rpcs, add(this.#values));
  }

  /** A header of the request that is not about its body; undefined where it is not there. */
  header(name: string): string | undefined {
    return this.options.headers.get(name) ?? undefined;
  }

  /**
   * Reads the body as UTF-8, whatever type it claims to have.
   * @throws RestRefusal for one that is too long or no UTF-8
   */
  async readText(): Promise<string> {
    return await readBodyText(this.request, this.#surroundings);
  }

  /**
   * Reads the body as JSON whose numbers keep the digits that were written.
   * @throws RestRefusal for what is none
   */
  async readJson(): Promise<ExactJson> {
    const text = await this.readText();
    try {
      return parseStrictJson(text);
    } catch (error) {
      throw refusedField('body', `expected JSON: ${error instanceof Error ? error.message : ''}`);
    }
  }

  /**
   * For paths that take no parameters: a misspelt one would seem to have been heeded.
   * @throws RestRefusal naming the first
   */
  refuseParameters(): void {
    const [first] = readQuery(this.query);
    if (first !== undefined)
      throw refusedField(first[0].slice(0, 60), 'there are no parameters here');
  }

  /** Sets a header of the answer. */
  setHeader(name: string, value: string): void {
    if (!this.writer.headersSent) this.#response.setHeader(name, value);
  }

  /** Answers with JSON. */
  async sendJson(httpStatus: number, json: unknown): Promise<void> {
    await this.#send(httpStatus, `${JSON.stringify(json)}\n`, 'application/json');
  }

  /** Answers with a text. */
  async sendText(httpStatus: number, text: string): Promise<void> {
    await this.#send(httpStatus, text, 'text/plain; charset=utf-8');
  }

  /** Answers with what is to be told of an error. */
  async sendError(error: unknown): Promise<void> {
    const { httpStatus, json } = restStatus(error);
    await this.sendJson(httpStatus, json);
  }

  async #send(httpStatus: number, text: string, contentType: string): Promise<void> {
    const { bytes, encoding } = await this.#packed(Buffer.from(text));
    const header = new Headers({
      ...encoding,
      'content-type': contentType,
      'content-length': String(bytes.length),
      'x-content-type-options': 'nosniff',
      vary: 'Origin, Accept-Encoding',
    });
    this.writer.writeHead(httpStatus, header);
    if (this.request.method !== 'HEAD') this.writer.write(bytes);
    await this.writer.end();
  }

  /** A long text as the client can take it. */
  async #packed(bytes: Uint8Array): Promise<{ bytes: Uint8Array; encoding: object }> {
    const accepted = this.request.headers['accept-encoding'] ?? '';
    if (bytes.length < minPackedBytes || !/\bgzip\b(?!;\s*q=0(?:\.0*)?(?:,|$))/iu.test(accepted)) {
      return { bytes, encoding: {} };
    }
    const packed = await compressionGzip.compress(bytes);
    return { bytes: packed, encoding: { 'content-encoding': compressionGzip.name } };
  }
}

/** Shorter answers fit a packet, packed or not. */
const minPackedBytes = 1_024;
