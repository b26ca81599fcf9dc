import { createServer } from 'node:http';
import type { Registry } from '../base/metrics.ts';
import { listenError } from '../base/start-error.ts';

/** A request has no body and few headers: who takes longer to send it wants something else. */
const requestTimeoutMs = 5_000;

/** Probes and one or two scrapers. */
const maximumConnections = 32;

export type MetricsListenerOptions = {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  /** Whether the program does its work now. */
  readonly isReady: () => boolean;
};

/** Answers /metrics, /healthz and /readyz. */
export async function openMetricsListener({
  host,
  port,
  registry,
  isReady,
}: MetricsListenerOptions): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer({ requestTimeout: requestTimeoutMs }, (request, response) => {
    if (request.url === '/metrics') {
      registry.metrics().then(
        (text) => response.setHeader('content-type', registry.contentType).end(text),
        () => response.writeHead(500).end(),
      );
    } else if (request.url === '/healthz') response.end('ok\n');
    else if (request.url !== '/readyz') response.writeHead(404).end();
    else if (isReady()) response.end('ok\n');
    else response.writeHead(503).end('not ready\n');
  });
  server.maxConnections = maximumConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) =>
      reject(listenError(error, { METRICS_HOST: host, METRICS_PORT: port })),
    );
    server.listen(port, host, resolve);
  });
  const address = server.address();
  return {
    port: address !== null && typeof address === 'object' ? address.port : port,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
