import type { ClientHttp2Stream, Http2Session } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createClient } from '@connectrpc/connect';
import type { Client, Interceptor, Transport } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { MarketService } from '../../gen/tradewind/market/v1/market_service_pb.ts';
import { PriceService } from '../../gen/tradewind/market/v1/price_service_pb.ts';
import { OrderService } from '../../gen/tradewind/order/v1/order_service_pb.ts';
import { PositionService } from '../../gen/tradewind/position/v1/position_service_pb.ts';
import { SystemService } from '../../gen/tradewind/system/v1/system_service_pb.ts';
import type { Clock } from '../base/clock.ts';
import { lostConnectionIsUnavailable } from './client/lost-connection.ts';
import { parseServerAddress } from './client/server-address.ts';

export { readLiveStream, readStream } from './client/read-stream.ts';
export { parseServerAddress } from './client/server-address.ts';

export type ServerClientOptions = {
  readonly clock: Clock;
  /** Milliseconds for the connection, TLS included; beyond: UNAVAILABLE. Default 5,000. */
  readonly connectTimeoutMs?: number;
  /** Milliseconds of silence after which the server is asked whether it lives; default 15,000. */
  readonly pingIntervalMs?: number;
  /** Milliseconds for its answer; beyond, all RPCs end with UNAVAILABLE. Default 10,000. */
  readonly pingTimeoutMs?: number;
  /** Bytes of one message of the server; beyond: RESOURCE_EXHAUSTED. Default 4 MiB, a full page. */
  readonly readMaxBytes?: number;
  /** Certificates to trust, PEM, besides the usual ones. */
  readonly ca?: string | Buffer;
  readonly interceptors?: Interceptor[];
};

export type MarketClient = Client<typeof MarketService>;
export type OrderClient = Client<typeof OrderService>;
export type PositionClient = Client<typeof PositionService>;
export type PriceClient = Client<typeof PriceService>;
export type SystemClient = Client<typeof SystemService>;

/** Clients of one server over one HTTP/2 connection, which is opened with the first RPC. */
export interface ServerClient extends Disposable {
  readonly market: MarketClient;
  readonly orders: OrderClient;
  readonly positions: PositionClient;
  readonly prices: PriceClient;
  readonly system: SystemClient;
  /** For clients of further services. */
  readonly transport: Transport;
}

/**
 * Makes the clients of a server; disposing them closes the connection and ends their RPCs. A
 * connection that was lost is opened again by the next RPC.
 * @throws RangeError for an address that is none
 */
export function openServerClient(address: string, options: ServerClientOptions): ServerClient {
  const baseUrl = parseServerAddress(address);
  const sessionManager = new ListenedSessions(
    baseUrl,
    {
      pingIntervalMs: options.pingIntervalMs ?? 15_000,
      pingTimeoutMs: options.pingTimeoutMs ?? 10_000,
      // Below the server's idle timeout, so that no RPC meets a connection that is just closing.
      idleConnectionTimeoutMs: 60_000,
    },
    { createConnection: (url) => openSocket(url, options) },
  );
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    readMaxBytes: options.readMaxBytes ?? 4 * 1024 * 1024,
    interceptors: [lostConnectionIsUnavailable, ...(options.interceptors ?? [])],
  });
  return {
    transport,
    market: createClient(MarketService, transport),
    orders: createClient(OrderService, transport),
    positions: createClient(PositionService, transport),
    prices: createClient(PriceService, transport),
    system: createClient(SystemService, transport),
    [Symbol.dispose]: () => sessionManager.abort(),
  };
}

/**
 * Connect's manager stops listening to a session that it gives up, also when the session's 'error' is
 * still to come, which then would end the process: here somebody always listens.
 */
class ListenedSessions extends Http2SessionManager {
  readonly #listened = new WeakSet<Http2Session>();

  override async request(
    ...request: Parameters<Http2SessionManager['request']>
  ): Promise<ClientHttp2Stream> {
    const stream = await super.request(...request);
    const { session } = stream;
    if (session !== undefined && !this.#listened.has(session)) {
      this.#listened.add(session);
      session.on('error', () => {});
    }
    return stream;
  }
}

/** A socket that fails when it is not connected in time; by itself it would wait for minutes. */
function openSocket(
  url: URL,
  { clock, connectTimeoutMs = 5_000, ca }: ServerClientOptions,
): Socket {
  const isTls = url.protocol === 'https:';
  const host = url.hostname.replace(/^\[|\]$/gu, '');
  const port = url.port === '' ? (isTls ? 443 : 80) : Number(url.port);
  const servername = /^[\d.]+$|:/u.test(host) ? {} : { servername: host };
  const socket = isTls
    ? connectTls({
        host,
        port,
        ALPNProtocols: ['h2'],
        ...servername,
        ...(ca === undefined ? {} : { ca }),
      })
    : connectTcp({ host, port, noDelay: true });
  const timer = clock.setTimer(connectTimeoutMs, () => {
    const error = new Error(`${url.host} did not answer within ${connectTimeoutMs} ms`);
    socket.destroy(Object.assign(error, { code: 'ETIMEDOUT' }));
  });
  const clear = () => timer[Symbol.dispose]();
  socket.once(isTls ? 'secureConnect' : 'connect', clear);
  socket.once('close', clear);
  return socket;
}
