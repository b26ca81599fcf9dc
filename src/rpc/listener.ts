import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:net';
import { createValidator } from '@bufbuild/protovalidate';
import { Code, ConnectError, createConnectRouter } from '@connectrpc/connect';
import type { ConnectRouter } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { readCounter, readGauge } from '../base/metrics.ts';
import type { Registry } from '../base/metrics.ts';
import { listenError } from '../base/start-error.ts';
import { Connections } from './listener/connections.ts';
import { CorsPolicy } from './listener/cors.ts';
import { healthRoutes, HealthStatus } from './listener/health.ts';
import { rpcInterceptors, warmValidator } from './interceptors.ts';
import { listenerLimits } from './listener/listener-limits.ts';
import type { ListenerLimits } from './listener/listener-limits.ts';
import { operatorPaths, operatorRoutes } from './listener/plain-http.ts';
import type { PlainRoutes, Readiness } from './listener/plain-http.ts';
import { createPortServer } from './listener/port.ts';
import { reflectionRoutes } from './listener/reflection.ts';
import { RequestRouter } from './listener/request-router.ts';
import { RestRouter } from './rest.ts';
import type { RestAdapter } from './rest.ts';
import { acceptedCompressions } from './listener/rpc-handler.ts';
import { RpcMetrics } from './listener/rpc-metrics.ts';
import { inWords } from './rule-words.ts';
import { Sessions } from './listener/sessions.ts';

export type ListenerOptions = {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM files; without them the port is cleartext. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string } | undefined;
  /** Adds the services; health and reflection of all of them are added by the listener. */
  readonly routes: (router: ConnectRouter) => void;
  /** Plain HTTP besides /healthz, /readyz and /metrics. */
  readonly plainRoutes?: PlainRoutes;
  /** Plain HTTP to the RPCs besides what annotations say. */
  readonly restAdapters?: readonly RestAdapter[];
  /** See CorsPolicy. */
  readonly corsAllowedOrigins: readonly string[];
  readonly limits?: Partial<ListenerLimits>;
  /** Why the server is not ready yet or any more; none: it is. */
  readonly readiness?: Readiness;
  /** Milliseconds that a disposed listener leaves its streams to end; default 5,000. */
  readonly graceMs?: number;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Registry;
};

export interface Listener extends AsyncDisposable {
  readonly port: number;
  /** http:// or https://, with the address to connect to. */
  readonly url: string;
  /** The health of the services; all are serving from the start, "" as the server as a whole. */
  readonly health: HealthStatus;
  /** Says everywhere that this server does not serve any more; it still does. */
  stopServing(): void;
  /**
   * Stops serving and accepting, ends the streams with UNAVAILABLE, lets RPCs at hand finish, and
   * after `graceMs` closes what is still open. A second call waits for the first.
   */
  shutdown(graceMs: number): Promise<void>;
}

/**
 * Opens the one port that answers gRPC, gRPC-Web, Connect and plain HTTP, over HTTP/1.1 and HTTP/2.
 * @throws Error when the port or a certificate cannot be had
 */
export async function openListener(options: ListenerOptions): Promise<Listener> {
  const { clock, logger, metrics } = options;
  const limits: ListenerLimits = { ...listenerLimits, ...options.limits };
  const tls =
    options.tls === undefined
      ? undefined
      : {
          cert: await readFile(options.tls.certFile),
          key: await readFile(options.tls.keyFile),
        };

  const health = new HealthStatus();
  const stopping = new AbortController();
  let isStopping = false;
  const readiness = () => (isStopping ? ['The server is stopping'] : (options.readiness?.() ?? []));

  const rpcs = rpcHandlers(options, { limits, health, shutdownSignal: stopping.signal });
  const requests = new RequestRouter({
    rpcs,
    plain: [
      operatorRoutes({ readiness, metrics }),
      ...(options.plainRoutes === undefined ? [] : [options.plainRoutes]),
    ],
    rest: new RestRouter(rpcs, options.restAdapters ?? [], {
      limits,
      clock,
      others: operatorPaths,
    }),
    cors: new CorsPolicy(options.corsAllowedOrigins),
    limits,
    logger,
    clock,
  });
  const connections = new Connections({
    maxTotal: limits.maxConnections,
    maxPerAddress: limits.maxConnectionsPerAddress,
  });
  const sessions = new Sessions({
    clock,
    maxIdlePings: limits.maxIdlePings,
    keepaliveMs: limits.keepaliveMs,
    onClosed: (reason) => connections.refused[reason]++,
  });
  registerMetrics(metrics, { connections, requests });

  const server = createPortServer({
    limits,
    clock,
    tls,
    connections,
    sessions,
    onRequest: requests.handle,
    stopping: stopping.signal,
  });
  let port: number;
  try {
    port = await listen(server, options.host, options.port);
  } catch (error) {
    sessions[Symbol.dispose]();
    throw error;
  }
  // An error from here on is a failed accept (no more file descriptors): the next may succeed.
  server.on('error', (error) => logger.warn({ err: error }, 'Accepting a connection failed'));

  const stopServing = () => {
    isStopping = true;
    health.stop();
  };
  let stopped: Promise<void> | undefined;
  const shutdown = async (graceMs: number) => {
    stopServing();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    requests.closeConnections();
    sessions.goAway();
    stopping.abort(new ConnectError('The server is stopping; connect again', Code.Unavailable));
    using _grace = clock.setTimer(graceMs, () => {
      if (connections.size > 0)
        logger.warn({ connections: connections.size }, 'Closing connections that do not end');
      sessions[Symbol.dispose]();
      connections.destroyAll();
    });
    await closed;
    sessions[Symbol.dispose]();
  };
  const shutdownOnce = (graceMs: number) => (stopped ??= shutdown(graceMs));
  return {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://${hostInUrl(options.host)}:${port}`,
    health,
    stopServing,
    shutdown: shutdownOnce,
    [Symbol.asyncDispose]: () => shutdownOnce(options.graceMs ?? 5_000),
  };
}

/** Connect's handlers of all RPCs: the caller's services, health, and reflection of all of them. */
function rpcHandlers(
  { routes, clock, logger, metrics }: ListenerOptions,
  own: {
    readonly limits: ListenerLimits;
    readonly health: HealthStatus;
    readonly shutdownSignal: AbortSignal;
  },
): readonly UniversalHandler[] {
  const { limits, health, shutdownSignal } = own;
  const validator = inWords(createValidator());
  const router = createConnectRouter({
    acceptCompression: acceptedCompressions,
    readMaxBytes: limits.readMaxBytes,
    maxTimeoutMs: limits.maxTimeoutMs,
    shutdownSignal,
    interceptors: rpcInterceptors({ logger, clock, metrics: new RpcMetrics(metrics), validator }),
  });
  routes(router);
  healthRoutes(router, health);
  const services = new Set(router.handlers.map(({ service }) => service));
  for (const { typeName } of services) health.set(typeName, true);
  health.set('', true);
  reflectionRoutes(router, [...services]);
  const methods = router.handlers.map(({ method }) => method);
  warmValidator(validator, methods);
  return router.handlers;
}

/** @returns the port, which is another than asked for where that was 0 */
async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw listenError(error, { HOST: host, PORT: port });
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('Expected a TCP port');
  return address.port;
}

/** The host as a URL names it; one that stands for all addresses is reached by the loopback one. */
function hostInUrl(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}

function registerMetrics(
  registry: Registry,
  { connections, requests }: { connections: Connections; requests: RequestRouter },
): void {
  readGauge(registry, {
    name: 'tradewind_connections',
    help: 'Open client connections',
    read: () => connections.size,
  });
  readCounter(registry, {
    name: 'tradewind_connections_refused_total',
    help: 'Client connections refused or closed at a bound',
    labelNames: ['reason'],
    read: () => Object.entries(connections.refused).map(([reason, n]) => [{ reason }, n] as const),
  });
  readGauge(registry, {
    name: 'tradewind_rpcs_active',
    help: 'RPCs at work',
    read: () => requests.activeRpcs,
  });
  readCounter(registry, {
    name: 'tradewind_rpcs_rejected_total',
    help: 'RPCs refused because too many were at work',
    read: () => requests.rejectedRpcs,
  });
}
